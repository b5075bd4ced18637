"""Servers of others on the lab's internet: modules of this package that say `listening` once they do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.stack import Stack
from tests.engine.program import CHECKOUT


@contextmanager
def serving(stack: Stack, module: str, notes: Path, *more: str | Path) -> Iterator[None]:
    """Runs `module` at the client's address; what it is asked stands in `notes`."""
    program = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", f"tests.acceptance.{module}"]
    internet = stack.lab.internet
    process = internet.start([*program, internet.address, notes, *more])
    try:
        assert process.stdout
        said = process.stdout.readline()
        assert said == "listening\n", said + process.stdout.read()
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
