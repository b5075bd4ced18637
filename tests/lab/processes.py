"""Daemons of the lab: started detached, found again by a file, ended without leaving children.

Everything the lab starts carries MARK in its environment, so that `down` also finds what an interrupted `up` left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.lab import paths
from tests.lab.errors import LabError

MARK = "KOLAB_LAB"


def run(
    command: Sequence[str | Path],
    *,
    text: str | None = None,
    seconds: float = 120,
    env: Mapping[str, str] | None = None,
) -> str:
    """Output of a command that has to succeed; else LabError with its last words.

    Unless it is given an environment, `down` takes it for a part of the lab.
    """
    argv = [str(part) for part in command]
    variables = environment() if env is None else env
    try:
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, timeout=seconds, check=False, env=variables
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"`{' '.join(argv)[:200]}` did not end within {seconds:.0f} s") from None
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise LabError(f"`{' '.join(argv)[:200]}` ended with {done.returncode}: {words}")
    return done.stdout


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's own, with the mark."""
    return {**os.environ, **(more or {}), MARK: str(paths.state())}


def in_namespace(name: str, command: Sequence[str | Path]) -> list[str]:
    """A command line that runs in a network namespace of the lab.

    Not `ip netns exec`: that remounts /sys, and the cgroups below it are gone.
    """
    return ["nsenter", f"--net=/run/netns/{name}", *(str(part) for part in command)]


class Daemon:
    """One background process with a file that says which, and a log."""

    def __init__(self, name: str, state: Path) -> None:
        self.name = name
        self.log = state / "logs" / f"{name}.log"
        self._file = state / "run" / name

    def start(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        """Start it, unless it runs. Returns at once; whoever needs it waits for what it offers."""
        if self.pid is not None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._file.write_text(f"{process.pid} {began(process.pid)}")

    @property
    def pid(self) -> int | None:
        """Its process, or None when that has ended; a number that the kernel gave to another one does not count."""
        with contextlib.suppress(OSError, ValueError):
            pid, born = self._file.read_text().split()
            if born == began(int(pid)):
                return int(pid)
        return None

    def stop(self, *, kill: bool = False, seconds: float = 10) -> None:
        """End it: asked first, killed when it does not listen (or at once: `kill`)."""
        if (pid := self.pid) is not None:
            end([pid], signal.SIGKILL if kill else signal.SIGTERM, seconds=seconds)
        self._file.unlink(missing_ok=True)

    def last_words(self, lines: int = 5) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def check(self) -> None:
        """LabError with its last words when it has ended."""
        if self.pid is None:
            raise LabError(f"{self.name} has ended:\n{self.last_words()}\n(all of it: {self.log})")


def end(pids: Iterable[int], first: signal.Signals = signal.SIGTERM, *, seconds: float = 10) -> None:
    """Send `first` to all, wait for all, kill what is left."""
    waiting = {pid: born for pid in pids if (born := began(pid))}
    for number in dict.fromkeys((first, signal.SIGKILL)):
        for pid, born in waiting.items():
            if began(pid) == born:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while waiting and time.monotonic() < deadline:
            waiting = {pid: born for pid, born in waiting.items() if began(pid) == born}
            time.sleep(0.02)


def marked(state: Path) -> list[int]:
    """Every process of this machine that the lab started (itself or by others that it started)."""
    wanted = f"{MARK}={state}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def began(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty when it is gone or only waits to be reaped."""
    with contextlib.suppress(OSError):
        _reap(pid)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # Where threads outlive the first one, its sockets are still open.
        if fields[0] != "Z" or int(fields[17]) > 1:
            return fields[19]
    return ""


def _reap(pid: int) -> None:
    """Let go of an ended child of ours; it would stay a zombie as long as a test session runs."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def ourselves() -> set[int]:
    """This process and those that started it: `down` may be called from within the lab's internet."""
    found, pid = set(), os.getpid()
    while pid > 1:
        found.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found
