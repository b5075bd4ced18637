"""Stand-in for `pulumi-language-python`: runs the program (and policy packs) for the engine.

The engine starts it with its own address as last argument, reads the port from the first line of stdout
and calls LanguageRuntime over gRPC. Whatever else is printed there reaches the user's terminal.
"""

# ruff: noqa: N802 - the methods have the names of the protocol
from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from .serving import engine_address, new_server, serve

EXEC = Path(__file__).with_name("language_exec.py")
# The program has already told the user what is wrong: the engine need not add "exited with code 1".
REPORTED = 32


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The calls the engine makes for `preview`, `up`, `refresh`, `destroy --run-program` and policy packs."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._children: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> language_pb2.LanguageHandshakeResponse:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> language_pb2.GetRequiredPackagesResponse:
        """The plugins of all packages that are installed, used or not. The engine fetches what is missing first."""
        found = [
            plugin_pb2.PackageDependency(kind="resource", name=name, version=version)
            for name, version in sorted(_plugins())
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=found)

    def GetRequiredPlugins(self, request: Any, context: Any) -> language_pb2.GetRequiredPluginsResponse:
        return language_pb2.GetRequiredPluginsResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> language_pb2.RuntimeOptionsResponse:
        return language_pb2.RuntimeOptionsResponse()

    def Run(
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Run the program once, as a child: it may do what it likes to its process, and it can be killed."""
        try:
            python = Interpreter.of(request.info)
        except NoInterpreter as reason:
            return language_pb2.RunResponse(error=str(reason))
        directory = request.info.program_directory or request.pwd
        program = os.path.normpath(os.path.join(directory, request.info.entry_point or "."))
        settings = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "root_directory": request.info.root_directory or directory,
        }
        env = python.environment()
        # Not arguments: configuration holds decrypted secrets, and arguments are shown by `ps`.
        env["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        env["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        command = [python.path, "-u", "-P", str(EXEC), json.dumps(settings), program, *request.args]
        with self._child(
            command, env=env, cwd=request.pwd or directory, context=context, end=signal.SIGINT
        ) as child:
            code = child.wait()
        if code == 0:
            return language_pb2.RunResponse()
        if code == REPORTED:
            return language_pb2.RunResponse(bail=True)
        how = f"was killed by signal {-code}" if code < 0 else f"exited with non-zero exit code: {code}"
        return language_pb2.RunResponse(error=f"Program {how}")

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack, or a plugin written in Python, and hand on what it prints, then its exit code."""
        response = language_pb2.RunPluginResponse
        try:
            python = Interpreter.of(request.info)
        except NoInterpreter as reason:
            yield response(stderr=f"{reason}\n".encode())
            yield response(exitcode=1)
            return
        program = os.path.normpath(
            os.path.join(request.info.program_directory, request.info.entry_point or ".")
        )
        if request.kind == "analyzer":
            command = [python.path, "-u", "-m", "pulumi.policy", *request.args, program]
        else:
            command = [python.path, "-u", program, *request.args]
        env = python.environment(dict(entry.split("=", 1) for entry in request.env if "=" in entry))
        with self._child(command, env=env, cwd=request.pwd, context=context, piped=True) as child:
            for name, line in _lines(child):
                yield response(stdout=line) if name == "stdout" else response(stderr=line)
            yield response(exitcode=child.wait())

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Make the virtual environment that the options name, if it is missing, and fill it."""
        response = language_pb2.InstallDependenciesResponse
        directory = Path(request.info.program_directory or request.directory)
        environment = _virtualenv(request.info)
        if environment is None or (environment / "bin" / "python").exists():
            return
        commands = [[sys.executable, "-m", "venv", str(environment)]]
        if (directory / "requirements.txt").exists():
            commands.append(
                [str(environment / "bin" / "python"), "-m", "pip", "install", "-r", "requirements.txt"]
            )
        for command in commands:
            with self._child(
                command, env=dict(os.environ), cwd=str(directory), context=context, piped=True
            ) as child:
                for name, line in _lines(child):
                    yield response(stdout=line) if name == "stdout" else response(stderr=line)
                if child.wait() != 0:
                    context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(command)}` failed")

    def About(self, request: language_pb2.AboutRequest, context: Any) -> language_pb2.AboutResponse:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: Any
    ) -> language_pb2.GetProgramDependenciesResponse:
        """What is installed beside the host, which runs in the project's own virtual environment."""
        found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=n, version=v) for n, v in sorted(found.items())]
        )

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        self.stop_children()
        return empty_pb2.Empty()

    def stop_children(self) -> None:
        """End what is running, without waiting: the handlers that started it do that."""
        with self._lock:
            for child in self._children:
                with contextlib.suppress(ProcessLookupError):
                    child.terminate()

    @contextlib.contextmanager
    def _child(
        self,
        command: list[str],
        *,
        env: dict[str, str],
        cwd: str,
        context: grpc.ServicerContext,
        piped: bool = False,
        end: signal.Signals = signal.SIGTERM,
    ) -> Iterator[subprocess.Popen[bytes]]:
        stream = subprocess.PIPE if piped else None
        child = subprocess.Popen(
            command, env=env, cwd=cwd or None, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
        with self._lock:
            self._children.add(child)
        # A policy pack has no other way to learn that it is not needed any more than the end of this call.
        context.add_callback(lambda: child.send_signal(end))  # does nothing to one that has ended
        try:
            yield child
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
            with self._lock:
                self._children.discard(child)


class NoInterpreter(Exception):
    """The runtime options name a virtual environment that is not there."""


class Interpreter:
    """The Python that runs a program, and the environment that goes with it."""

    def __init__(self, path: str, virtualenv: Path | None) -> None:
        self.path = path
        self._virtualenv = virtualenv

    @classmethod
    def of(cls, info: language_pb2.ProgramInfo) -> Interpreter:
        """The one of the `virtualenv` option, else the host's own: it has the SDK, the machine's may not."""
        virtualenv = _virtualenv(info)
        if virtualenv is None:
            return cls(sys.executable, None)
        python = virtualenv / "bin" / "python"
        if not python.exists():
            raise NoInterpreter(
                f"the virtual environment {virtualenv} of Pulumi.yaml is not there: run `make up`"
            )
        return cls(str(python), virtualenv)

    def environment(self, base: dict[str, str] | None = None) -> dict[str, str]:
        """What `activate` would have exported."""
        env = dict(os.environ) if base is None else base
        if self._virtualenv is not None:
            env["VIRTUAL_ENV"] = str(self._virtualenv)
            env["PATH"] = os.pathsep.join([str(self._virtualenv / "bin"), env.get("PATH", os.defpath)])
            env.pop("PYTHONHOME", None)
        return env


def _plugins() -> Iterator[tuple[str, str]]:
    """Name and version of the plugin that each package beside the host wants (pulumi-plugin.json)."""
    for package in metadata.distributions():
        for file in package.files or ():
            if file.name == "pulumi-plugin.json":
                told = json.loads(file.read_text())
                if told.get("resource"):
                    yield told["name"], f"v{told.get('version') or package.version}".replace("vv", "v")


def _virtualenv(info: language_pb2.ProgramInfo) -> Path | None:
    name = json_format.MessageToDict(info.options).get("virtualenv")
    return Path(info.root_directory or info.program_directory, str(name)) if name else None


def _lines(child: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """What the child prints, as it comes, until it closes both streams."""
    lines: queue.Queue[tuple[str, bytes | None]] = queue.Queue()

    def pump(name: str, stream: IO[bytes] | None) -> None:
        for line in stream or ():
            lines.put((name, line))
        lines.put((name, None))

    threading.Thread(target=pump, args=("stdout", child.stdout), daemon=True).start()
    threading.Thread(target=pump, args=("stderr", child.stderr), daemon=True).start()
    open_streams = 2
    while open_streams:
        name, line = lines.get()
        if line is None:
            open_streams -= 1
        else:
            yield name, line


def main(argv: list[str]) -> int:
    """Serve until the engine ends us."""
    host = LanguageHost(engine=engine_address(argv))
    server = new_server(workers=16)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    return serve(server, stop=host.stop_children)
