"""How long something takes, and how much of a processor."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Time:
    """Seconds on the wall, and seconds of processors: ours and those of the processes that we waited for."""

    wall: float
    processor: float


def once(work: Callable[[], object]) -> Time:
    """What one call takes."""
    wall, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    used = [after[i] - before[i] for i in range(4)]
    return Time(time.perf_counter() - wall, sum(used))


def in_turn(works: Sequence[Callable[[], object]], repetitions: int) -> list[Time]:
    """Medians. The works take turns, so that what else the machine does burdens all alike."""
    rounds = [[once(work) for work in works] for _ in range(repetitions)]
    return [
        Time(
            statistics.median(taken[place].wall for taken in rounds),
            statistics.median(taken[place].processor for taken in rounds),
        )
        for place in range(len(works))
    ]
