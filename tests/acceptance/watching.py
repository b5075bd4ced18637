"""Doors to the world, asked all the time while something happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.acceptance.stack import Stack
from tests.engine.program import Run

SHORT = 2.0
"""Seconds between two answers of a port that is asked five times a second on a busy machine."""


@contextmanager
def watched(stack: Stack, folder: Path) -> Iterator[dict[str, Popen[Any]]]:
    """Port -> who asks there; each prints its longest silence and the sum of all once the block ends."""
    enough = folder / "enough"
    enough.unlink(missing_ok=True)
    names = stack.names
    doors = {"25": names.mx, "993": names.imap, "465": names.smtp, "443": names.website}
    watchers = {
        port: stack.lab.internet.start(stack.client_line("outage", host, port, str(enough)))
        for port, host in doors.items()
    }
    try:
        yield watchers
    finally:
        enough.touch()


def silences(watcher: Popen[Any]) -> tuple[float, float]:
    """The longest, and all together, in seconds."""
    longest, every = watcher.communicate()[0].split()
    return float(longest), float(every)


def refusals(run: Run) -> dict[str, str]:
    """Daemon -> how the rehearsal of its image ended: the last lines of its log, whose last is the sentence."""
    parts = "\n".join(run.errors).split("[Pod kolab/rehearse-")[1:]
    return {part.partition("-")[0]: part for part in parts}


def identities(stack: Stack, *daemons: str) -> set[str]:
    """The pods of daemons, each another once it has been replaced."""
    return {pod["metadata"]["uid"] for daemon in daemons for pod in stack.pods(daemon)}
