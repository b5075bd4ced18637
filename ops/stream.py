"""A command in a container while it runs: bytes go in and come out, as many as there are."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO

from ops.stacks import StackProblem

_NOTE, _REASON = "note: ", "restore: "
_NO_NEWS = ("alive", "command terminated with", "Defaulted container")


class Stream:
    """Runs `command`; what it writes to its standard error is its reason when it fails, or a note to whoever waits."""

    def __init__(
        self, command: Sequence[str], note: Callable[[str], None], source: IO[bytes] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if source is None else source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._note, self._said = note, ""
        self.reader = _open(self._process.stdout)
        """Its standard output."""
        self._listening = threading.Thread(
            target=self._listen, args=(_open(self._process.stderr),), daemon=True
        )
        self._listening.start()

    @property
    def writer(self) -> IO[bytes]:
        """Its standard input, where it reads from no other one."""
        return _open(self._process.stdin)

    def end(self) -> None:
        """Nothing more goes in; waits until it has ended. Raises StackProblem when it failed."""
        if self._process.stdin is not None:
            # It may read no more: its exit code tells.
            with suppress(OSError):
                self._process.stdin.close()
        code = self._process.wait()
        self._listening.join()
        if code != 0:
            raise StackProblem(self._said or f"kubectl left with {code} and no reason")

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Ends it, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        # Whoever is killed has nothing more to say; what it has started may hold the pipe for longer.
        self._listening.join(timeout=1)
        for pipe in (self._process.stdin, self.reader):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _listen(self, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                text = line.decode(errors="replace").strip()
                if text.startswith(_NOTE):
                    self._note(text.removeprefix(_NOTE))
                elif text and not text.startswith(_NO_NEWS):
                    self._said = text.removeprefix(_REASON)[:300]


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("this stream reads from another one")
    return pipe
