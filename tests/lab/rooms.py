"""Rooms: several labs on one machine, each with a network, mounts and control groups of its own (room.sh)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tests.lab import machine, paths
from tests.lab.interrupts import uninterrupted
from tests.lab.processes import run

_SCRIPT = paths.SOURCES / "room.sh"


def command(room: str, line: Sequence[str]) -> list[str]:
    """The command line that runs `line` in a room."""
    return [str(_SCRIPT), room, *line]


@contextmanager
def opened(rooms: Sequence[str]) -> Iterator[None]:
    """Rooms that are empty at first; at the end whatever is in them is removed.

    Raises LabError unless root asks, and when somebody is in one of them, whatever checkout they run from.
    """
    machine.require_root()
    with ExitStack() as held, machine.places():
        for room in rooms:
            held.enter_context(machine.lock(f"kolab-room-{room}", f"is in room {room} of this machine"))
        try:
            _empty(rooms)
            yield
        finally:
            with uninterrupted():
                _empty(rooms)


def _empty(rooms: Sequence[str]) -> None:
    for room in rooms:
        run(command(room, [sys.executable, "-m", "tests.lab", "down"]))
