"""Two labs on one machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab import paths, rooms
from tests.lab.processes import run

_ROOMS = ("test-a", "test-b")


def test_two_labs_are_up_at_once_and_nothing_is_left_of_them() -> None:
    with rooms.opened(_ROOMS):
        for room in _ROOMS:
            run(rooms.command(room, [sys.executable, "-m", "tests.lab", "up"]), seconds=600)
        processes = subprocess.run(["pgrep", "-fc", "hostname-override=n1"], capture_output=True, check=False)
        assert int(processes.stdout) >= len(_ROOMS)
    left = [*Path("/sys/fs/cgroup").glob("**/lab-test-*"), *paths.cache().glob("state-test-*")]
    assert left == []
