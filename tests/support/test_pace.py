"""What tests/acceptance/pace.py calls a crowd is one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.pace import Crowd, crowding

_OTHERS = 3
_SPIN = "while True: pass"


@pytest.fixture
def one_processor() -> Iterator[None]:
    """For this process and all that it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds a process to a processor")
@pytest.mark.usefixtures("one_processor")
def test_who_shares_a_processor_with_three_others_takes_longer_than_alone() -> None:
    others = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(_OTHERS)]
    try:
        with crowding() as crowd:
            pass
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert crowd.factor > _OTHERS / 2


def test_nobody_is_faster_than_alone() -> None:
    crowd = Crowd()
    crowd.look()
    assert crowd.factor >= 1
