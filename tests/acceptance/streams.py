"""Mail that is written all the while something else happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.receiving import unique
from tests.acceptance.stack import Stack


@contextmanager
def strangers_write(stack: Stack, recipient: str, enough: Path, least: int = 1) -> Iterator[set[str]]:
    """A stranger does, and so many messages at least; afterwards the subjects that were acknowledged are known.

    `enough` is a file that is not there yet.
    """
    line = ("stream", stack.names.mx, recipient, unique("meanwhile"), str(least), str(enough))
    stranger = stack.lab.internet.start(stack.client_line(*line))
    acknowledged: set[str] = set()
    try:
        yield acknowledged
    finally:
        enough.touch()
        acknowledged.update(filter(None, stranger.communicate()[0].split("\n")))
