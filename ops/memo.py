"""Each question is asked once, however many checks want the answer, and whichever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class Memo:
    """Answers by question. An exception is an answer as well."""

    def __init__(self) -> None:
        self._lock, self._found = threading.Lock(), dict[Hashable, Future[Any]]()

    def get(self, question: Hashable, ask: Callable[[], _T]) -> _T:
        """The answer, asked for by the first who wants it; the others wait for it."""
        with self._lock:
            known = self._found.get(question)
            future: Future[Any] = known or self._found.setdefault(question, Future())
        if known is None:
            try:
                future.set_result(ask())
            except Exception as error:
                future.set_exception(error)
        answer: _T = future.result()
        return answer
