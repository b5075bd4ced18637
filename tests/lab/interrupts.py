"""Ctrl-C and termination: what was begun is removed, once and whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class uninterrupted:  # noqa: N801 - reads as a statement
    """Cleaning up goes on when somebody presses Ctrl-C again."""

    def __enter__(self) -> None:
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def end_on_signals() -> None:
    """Make SIGTERM and SIGHUP end a program as Ctrl-C does, so that it cleans up."""

    def stop(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    # A shell lets what it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
