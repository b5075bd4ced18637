"""Two labs on one machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.lab import paths, rooms
from tests.lab.processes import marked, run

pytestmark = pytest.mark.acceptance

_ROOMS = ("test-a", "test-b")


def test_two_labs_are_up_at_once_and_nothing_is_left_of_them() -> None:
    with rooms.opened(_ROOMS):
        for room in _ROOMS:
            run(rooms.command(room, [sys.executable, "-m", "tests.lab", "up"]), seconds=600)
        assert all(marked(paths.state(room)) for room in _ROOMS)
    left = [*Path("/sys/fs/cgroup").glob("*/lab-test-*"), *(paths.state(room) for room in _ROOMS)]
    assert [path for path in left if path.exists()] == []
    assert [marked(paths.state(room)) for room in _ROOMS] == [[], []]
