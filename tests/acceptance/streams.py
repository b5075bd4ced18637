"""Mail that is written all the while something else happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.acceptance.receiving import unique
from tests.acceptance.stack import Stack


@contextmanager
def writing(stack: Stack, enough: Path, command: str, *arguments: str) -> Iterator[set[str]]:
    """A command of the client does, until the file `enough` is there; afterwards the subjects that were acknowledged are known."""
    writer = stack.lab.internet.start(stack.client_line(command, *arguments, str(enough)))
    acknowledged: set[str] = set()
    try:
        yield acknowledged
    finally:
        enough.touch()
        acknowledged.update(writer.communicate()[0].splitlines())


def strangers_write(
    stack: Stack, recipient: str, enough: Path, least: int = 1
) -> AbstractContextManager[set[str]]:
    """A stranger does, and so many messages at least. `enough` is a file that is not there yet."""
    return writing(stack, enough, "stream", stack.names.mx, recipient, unique("meanwhile"), str(least))
