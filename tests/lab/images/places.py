"""Where builds are kept, and the names that they get from what they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tests.lab import paths
from tests.lab.images import layer
from tests.lab.images.contract import FILE

RECIPES = Path(__file__).parent / "recipes"


def home() -> Path:
    """Where image tars are kept."""
    return paths.cache() / "images"


def hash_of(files: Iterable[Path], *facts: str) -> str:
    """A name made from the content of files."""
    seen = hashlib.sha256()
    for path in files:
        seen.update(f"{path.relative_to(FILE.parent)}\0{layer.runnable(path)}\0".encode())
        seen.update(path.read_bytes())
    for fact in facts:
        seen.update(fact.encode())
    return seen.hexdigest()[:16]
