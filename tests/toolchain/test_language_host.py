"""The stand-in language host runs programs as the engine expects; the engine here is a small pretended one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from tests.support.sandbox import PATIENCE, wait_for
from toolchain import versions

CHECKOUT = Path(__file__).parents[2]


class Engine(engine_pb2_grpc.EngineServicer, resource_pb2_grpc.ResourceMonitorServicer):
    """Keeps what it is told, and makes every resource at once."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Be as new."""
        self.errors: list[str] = []
        self.outputs: dict[str, Any] = {}

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        return empty_pb2.Empty()

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.RegisterResourceResponse(
            urn=f"urn:pulumi:dev::tiny::{request.type}::{request.name}"
        )

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.outputs = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


class Host:
    """A language host in its own process, started and spoken to as the engine does."""

    def __init__(self, directory: Path, address: str) -> None:
        self.directory = directory
        self._address = address
        self.call: Any = None
        start = "import sys; from toolchain.language_host import main; sys.exit(main(sys.argv[1:]))"
        self.process = subprocess.Popen(
            [sys.executable, "-c", start, "-v=3", address],
            cwd=directory, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        channel = grpc.insecure_channel(f"127.0.0.1:{int(self.process.stdout.readline())}")
        self.stub = language_pb2_grpc.LanguageRuntimeStub(channel)

    def info(self, **options: str) -> language_pb2.ProgramInfo:
        directory = str(self.directory)
        info = language_pb2.ProgramInfo(
            root_directory=directory, program_directory=directory, entry_point="."
        )
        info.options.update(options)
        return info

    def run(self, program: str, **options: str) -> language_pb2.RunResponse:
        """Run a program of these lines."""
        return self.stub.Run(self.request(program, **options))

    def request(self, program: str, **options: str) -> language_pb2.RunRequest:
        (self.directory / "__main__.py").write_text(program)
        return language_pb2.RunRequest(
            project="tiny",
            stack="dev",
            pwd=str(self.directory),
            parallel=4,
            monitor_address=self._address,
            info=self.info(**options),
            config={"tiny:word": "hello", "tiny:key": "hunter2"},
            configSecretKeys=["tiny:key"],
        )


@contextlib.contextmanager
def started(directory: Path) -> Iterator[tuple[Engine, Host]]:
    """An engine, and a host that talks to it."""
    engine = Engine()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    host = Host(directory, f"127.0.0.1:{port}")
    yield engine, host
    host.process.kill()
    host.process.wait()
    server.stop(grace=None)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Host]]:
    with started(tmp_path_factory.mktemp("program")) as found:
        yield found


@pytest.fixture
def engine(both: tuple[Engine, Host]) -> Engine:
    both[0].forget()
    return both[0]


@pytest.fixture
def host(both: tuple[Engine, Host]) -> Host:
    return both[1]


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[Host]:
    """A host of the test's own, to be ended."""
    with started(tmp_path) as (_, found):
        yield found


def test_a_program_gets_its_project_stack_and_configuration(host: Host, engine: Engine) -> None:
    host.run(
        "import pulumi\n"
        "pulumi.export('all', [pulumi.get_project(), pulumi.get_stack(), pulumi.Config().require('word')])\n"
    )
    assert engine.outputs == {"all": ["tiny", "dev", "hello"]}


def test_a_program_imports_the_modules_beside_it_not_the_hosts(host: Host, engine: Engine) -> None:
    (host.directory / "serving.py").write_text("OF = 'the program'\n")
    host.run("import pulumi, serving\npulumi.export('of', serving.OF)\n")
    assert engine.outputs == {"of": "the program"}


def test_a_secret_of_the_configuration_stays_secret_and_off_the_command_line(
    host: Host, engine: Engine
) -> None:
    host.run(
        "import pulumi, sys\n"
        "pulumi.export('key', pulumi.Config().require_secret('key'))\n"
        "pulumi.export('told', 'hunter2' in ' '.join(sys.orig_argv))\n"
    )
    assert engine.outputs["key"]["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"
    assert engine.outputs["told"] is False


def test_a_run_error_is_its_sentence_and_one_about_the_exit_code(host: Host, engine: Engine) -> None:
    response = host.run("import pulumi\nraise pulumi.RunError('kolab:domain is a placeholder')\n")
    assert response.error == "Program exited with non-zero exit code: 1"
    assert engine.errors == ["kolab:domain is a placeholder"]


def test_a_program_that_says_it_has_told_all_is_believed(host: Host, engine: Engine) -> None:
    program = "import pulumi, sys\npulumi.log.error('kolab:domain is a placeholder')\nsys.exit(32)\n"
    response = host.run(program)
    assert (response.error, response.bail) == ("", True)
    assert engine.errors == ["kolab:domain is a placeholder"]


def test_any_other_exception_is_told_from_the_programs_own_line_on(host: Host, engine: Engine) -> None:
    response = host.run("def broken():\n    raise ValueError('boom')\nbroken()\n")
    assert response.bail
    (error,) = engine.errors
    first, _, told = error.partition("\n")
    assert first == "Program failed with an unhandled exception:"
    assert told.splitlines()[1] == f'  File "{host.directory}/__main__.py", line 3, in <module>'
    assert told.endswith("ValueError: boom\n")


def test_a_program_that_exits_by_itself_is_told_by_its_code(host: Host) -> None:
    assert host.run("raise SystemExit(3)\n").error == "Program exited with non-zero exit code: 3"


def test_a_missing_virtual_environment_is_told_with_its_path(host: Host) -> None:
    error = host.run("", virtualenv=".venv").error
    assert (
        error == f"the virtual environment {host.directory}/.venv of Pulumi.yaml is not there: run `make up`"
    )


def test_the_plugins_of_all_installed_packages_are_named(host: Host) -> None:
    request = language_pb2.GetRequiredPackagesRequest(info=host.info())
    found = {package.name: package.version for package in host.stub.GetRequiredPackages(request).packages}
    assert found.keys() == {"cloudflare", "kubernetes"}
    assert found["kubernetes"] == f"v{versions.KUBERNETES_PLUGIN}"


def test_a_plugin_written_in_python_is_handed_on_line_by_line(host: Host) -> None:
    (host.directory / "__main__.py").write_text(
        "import os, sys\nprint(sys.argv[1], os.environ['GIVEN'])\nprint('oh', file=sys.stderr)\nsys.exit(4)\n"
    )
    request = language_pb2.RunPluginRequest(
        pwd=str(host.directory), info=host.info(), kind="resource", args=["first"], env=["GIVEN=env"]
    )
    told = list(host.stub.RunPlugin(request))
    assert b"".join(r.stdout for r in told) == b"first env\n"
    assert b"".join(r.stderr for r in told) == b"oh\n"
    assert told[-1].exitcode == 4


SLEEPER = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n"


QUIET = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"
"""How a program ends without a traceback when it is interrupted."""


def sleeping(host: Host, prelude: str = "") -> int:
    """Start a program that never ends; answers its process id."""
    host.call = host.stub.Run.future(host.request(prelude + SLEEPER))  # a call that nobody keeps is cancelled
    file = host.directory / "pid"
    wait_for(lambda: file.exists() and file.read_text())
    return int(file.read_text())


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("how", ["interrupt", "end of input", "Cancel"])
def test_no_program_outlives_the_engine(doomed: Host, how: str) -> None:
    program = sleeping(doomed)
    if how == "interrupt":
        os.killpg(doomed.process.pid, signal.SIGINT)
    elif how == "Cancel":
        doomed.stub.Cancel(empty_pb2.Empty())
    else:
        assert doomed.process.stdin is not None
        doomed.process.stdin.close()
    wait_for(lambda: has_ended(program))


def test_an_interrupted_host_adds_nothing_to_what_the_program_says(doomed: Host) -> None:
    sleeping(doomed, QUIET)
    os.killpg(doomed.process.pid, signal.SIGINT)
    assert doomed.process.stdout is not None
    assert (doomed.process.wait(timeout=PATIENCE), doomed.process.stdout.read()) == (0, "")
