"""What many tests read and one of them makes: kept in memory, and where the other processes of the run find it."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

FOLDER = "KOLAB_TESTS_SHARED"
"""The variable that names the folder of this run; tests/conftest.py makes and removes it."""

_made: dict[str, Any] = {}


def once(key: str, make: Callable[[], T]) -> T:
    """What `make` gives, which is made once in a run for each `key`: read it and change nothing.

    `key` can be a file's name, and says all that the result depends on beside the code. Two processes that come at
    the same time both make it: to wait would take as long.
    """
    if key not in _made:
        _made[key] = _shared(key, make)
    found: T = _made[key]
    return found


def _shared(key: str, make: Callable[[], T]) -> T:
    folder = os.environ.get(FOLDER)
    if folder is None:
        return make()
    path = Path(folder, key)
    if path.exists():
        found: T = pickle.loads(path.read_bytes())  # noqa: S301 (this run wrote it)
        return found
    made = make()
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        pickle.dump(made, file)
    Path(file.name).replace(path)
    return made
