"""Doors to the world, asked all the time while something happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.acceptance.pace import Crowd, crowding
from tests.acceptance.stack import Stack
from tests.engine.program import Run

_SHORT = 2.0
"""No silence: seconds between two answers of a port that is asked five times a second on a machine that has time."""


@dataclass(frozen=True)
class Watch:
    """Who asks, by port, and how crowded the machine is meanwhile."""

    watchers: Mapping[str, Popen[Any]]
    crowd: Crowd

    def allowed(self, seconds: float = _SHORT) -> float:
        """Seconds of silence on this machine that stand for `seconds` on one that has time."""
        return seconds * self.crowd.factor

    def silences(self) -> dict[str, tuple[float, float]]:
        """Port -> the longest silence, and all together, in seconds; once, after the end."""
        found = {}
        for port, watcher in self.watchers.items():
            longest, every = watcher.communicate()[0].split()
            found[port] = float(longest), float(every)
        return found


@contextmanager
def watched(stack: Stack, folder: Path) -> Iterator[Watch]:
    """Somebody asks at each door; each prints its longest silence and the sum of all once the block ends."""
    enough = folder / "enough"
    enough.unlink(missing_ok=True)
    names = stack.names
    doors = {"25": names.mx, "993": names.imap, "465": names.smtp, "443": names.website}
    watchers = {
        port: stack.lab.internet.start(stack.client_line("outage", host, port, str(enough)))
        for port, host in doors.items()
    }
    try:
        with crowding() as crowd:
            yield Watch(watchers, crowd)
    finally:
        enough.touch()


def refusals(run: Run) -> dict[str, str]:
    """Daemon -> how the rehearsal of its image ended: the last lines of its log, whose last is the sentence."""
    parts = "\n".join(run.errors).split("[Pod kolab/rehearse-")[1:]
    return {part.partition("-")[0]: part for part in parts}


def identities(stack: Stack, *daemons: str) -> set[str]:
    """The pods of daemons, each another once it has been replaced."""
    return {pod["metadata"]["uid"] for daemon in daemons for pod in stack.pods(daemon)}
