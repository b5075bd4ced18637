"""Progress with elapsed time, and waiting for conditions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from tests.lab.errors import LabError

Result = TypeVar("Result")
Say = Callable[[str], None]


class Clock:
    """Prints each message with the seconds since the clock was made, to stderr: stdout is for answers."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self.started

    def say(self, text: str) -> None:
        """One line of progress."""
        print(f"lab {self.elapsed:6.1f} s  {text}", file=sys.stderr, flush=True)


def wait_until(
    what: str,
    condition: Callable[[], Result],
    *,
    seconds: float = 120,
    every: float = 0.1,
    why_not: Callable[[], str] = lambda: "",
) -> Result:
    """The first truthy answer of `condition`; LabError with the last reason when there is none in time.

    The limits are generous: on a busy machine with two cores a start can take ten times as long as usual.
    """
    deadline = time.monotonic() + seconds
    reason = ""
    while True:
        try:
            if answer := condition():
                return answer
            reason = why_not()
        except (OSError, LabError) as error:
            reason = str(error)
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {seconds:.0f} s. {reason}".strip())
        time.sleep(every)
