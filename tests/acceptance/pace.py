"""How slow this machine is meanwhile, so that a promise in seconds is judged for a machine that has time.

Two labs share few processors with whatever else runs there: what takes two seconds alone may take ten then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_WORK_SECONDS = 0.1
"""Of a processor, for one look."""
_PAUSE_SECONDS = 1.0


@dataclass
class Crowd:
    """What some looks have found."""

    looks: list[float] = field(default_factory=list)
    """Each: how many times longer than its own processor time a busy process took."""

    @property
    def factor(self) -> float:
        """On average; 1 where everybody had a processor for itself."""
        return sum(self.looks) / len(self.looks)

    def look(self) -> None:
        """Once more."""
        began, end = time.monotonic(), time.thread_time() + _WORK_SECONDS
        while time.thread_time() < end:
            pass
        self.looks.append(max(1.0, (time.monotonic() - began) / _WORK_SECONDS))


@contextmanager
def crowding() -> Iterator[Crowd]:
    """Looks once a second while the block runs, and before and after it."""
    crowd, over = Crowd(), threading.Event()

    def watch() -> None:
        while not over.wait(_PAUSE_SECONDS):
            crowd.look()

    crowd.look()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield crowd
    finally:
        over.set()
        watcher.join()
        crowd.look()
