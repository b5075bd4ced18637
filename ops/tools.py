"""pulumi and its plugins, obtained when a command first needs them and never by one that does not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from toolchain import env
from toolchain.ensure import STAND_IN_NOTICE, ensure

Say = Callable[[str], None]


def aside(text: str) -> None:
    """Says what takes time; which plugin deploys matters only where something is deployed."""
    if text != STAND_IN_NOTICE:
        say(text)


def say(text: str) -> None:
    """Says everything."""
    print(f"toolchain: {text}", file=sys.stderr, flush=True)


_found: list[bool] = []


def ready(tell: Say = aside) -> None:
    """Puts pulumi and its plugins on this process's PATH, once. Raises NotReady."""
    if not _found:
        ensure(tell)
        os.environ.update(env.environment())
        _found.append(True)
