"""Runs the scripts of containers for real, in a folder that stands for the container's root.

Absolute paths are led into that folder, and commands that a test machine lacks are replaced by ones that only
write down how they were called. Files of images are not copied here: a test writes the few lines that our
adjustments rely on.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.ports import free_port

PATIENCE = 60
"""Seconds after which a test gives up on what should happen at once; so long only because machines may be busy."""

_LED_IN = re.compile(
    r"(?<![\w./$}-])(/(?:(?:init|update|run)\.sh|(?:kolab|etc|tmp|var|run|opt|data|usr/sbin|usr/libexec|usr/share/nginx)(?=[/\s\"';|)]|$)))"
)


class Sandbox:
    """A root folder with its own commands first on PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._bin = root / "bin"
        self._calls = root / "calls"
        self._process = 0
        self.ports: dict[int, int] = {}
        """Port of the container -> the port of this machine that stands for it."""
        self._bin.mkdir(parents=True)
        self._commands = f"{self._bin}:/usr/sbin:/usr/bin:/sbin:/bin"
        for folder in ("etc", "tmp", "var/log", "var/run", "run"):
            (root / folder).mkdir(parents=True)

    def path(self, inside: str) -> Path:
        """Where an absolute path of the container really lies."""
        return self.root / inside.lstrip("/")

    def port(self, inside: int) -> int:
        """The port of this machine that stands for a port of the container."""
        if inside not in self.ports:
            self.ports[inside] = free_port()
        return self.ports[inside]

    def here(self, text: str) -> str:
        """`text` with its absolute paths, and the ports that were asked for, led into the sandbox."""
        text = _LED_IN.sub(lambda found: f"{self.root}{found[1]}", text)
        for inside, outside in self.ports.items():
            text = re.sub(rf"(?<![\w.]){inside}(?!\w)", str(outside), text)
        return text

    def put(self, inside: str, text: str, mode: int = 0o644) -> Path:
        """A file of the container."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.here(text))
        path.chmod(mode)
        return path

    def mount(self, folder: str, files: Mapping[str, str]) -> None:
        """A ConfigMap with scripts, as a folder."""
        for name, text in files.items():
            self.put(f"{folder}/{name}", text, mode=0o755)

    def renew(self, inside: str, text: str) -> None:
        """Another text in a file of the container, all at once, as the kubelet does it."""
        self.put(f"{inside}.new", text).rename(self.path(inside))

    def text(self, inside: str) -> str:
        """What is in a file of the container, with paths as the container sees them."""
        return self.path(inside).read_text().replace(str(self.root), "")

    def command(self, name: str, body: str = "") -> None:
        """A command that writes down how it is called and then does `body`. An absolute name lies at its path."""
        path = self.path(name) if name.startswith("/") else self._bin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        call = f'echo {shlex.quote(name)}"${{*:+ $*}}"'
        note = f'(IFS=" "; {call} >> {self._calls}; {call} >> {self._calls}.$$)'
        path.write_text(f"#!/bin/bash\n{note}\n{self.here(body)}\n")
        path.chmod(0o755)

    def lacks(self, *names: str) -> None:
        """Hides commands of this machine from the scripts."""
        folder = self.root / "machine"
        folder.mkdir()
        for command in (each for path in ("/usr/sbin", "/usr/bin") for each in Path(path).iterdir()):
            if command.name not in names and not (folder / command.name).is_symlink():
                (folder / command.name).symlink_to(command)
        self._commands = f"{self._bin}:{folder}"

    def quick_sleep(self) -> None:
        """Makes `sleep` short, so that loops turn quickly."""
        self.command("sleep", "exec /bin/sleep 0.02")

    @property
    def calls(self) -> list[str]:
        """How the replaced commands were called, in order, with paths as the container sees them."""
        return self.text("calls").splitlines() if self._calls.exists() else []

    @property
    def became(self) -> str:
        """How the command was called that the last script handed its own process to. What runs beside it may call something
        at any time."""
        return self.text(f"calls.{self._process}").splitlines()[-1]

    def run(
        self,
        script: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a script to its end. Whatever it left in the background is ended, too."""
        with self.start(script, *arguments, env=env) as process:
            # wait() with a time limit looks only every so often.
            late = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
            late.start()
            code = process.wait()
            late.cancel()
        assert code != -signal.SIGKILL, f"still running after {timeout} s:\n{self.out}{self.err}"
        return subprocess.CompletedProcess(process.args, code, self.out, self.err)

    @property
    def out(self) -> str:
        """What the last script printed, with paths as the container sees them."""
        return self.text("out")

    @property
    def err(self) -> str:
        """What the last script complained about."""
        return self.text("err")

    @contextmanager
    def start(
        self, script: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Runs a script until the block ends."""
        file = self.root / "script.sh"
        file.write_text(self.here(script))
        environment = {"PATH": self._commands, "HOME": str(self.root)}
        environment |= {key: self.here(value) for key, value in (env or {}).items()}
        with (self.root / "out").open("w") as out, (self.root / "err").open("w") as err:
            process = subprocess.Popen(
                # In a container no signal is ignored; of a test run below nohup, bash could not trap SIGHUP.
                ["env", "--default-signal", "/bin/bash", str(file), *arguments],
                env=environment,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._process = process.pid
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Waits until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)


@contextmanager
def talking(port: int, lines: Sequence[str]) -> Iterator[None]:
    """A server on `port` that greets with the first line and answers each line of a client with the next one."""
    listener = socket.create_server(("127.0.0.1", port), reuse_port=True)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with suppress(ConnectionError), client, client.makefile("rw", newline="") as stream:
                for line in lines:
                    stream.write(f"{line}\r\n")
                    stream.flush()
                    if not stream.readline():
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=2)
