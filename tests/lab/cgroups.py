"""Control groups of nodes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.lab.progress import wait_until

_ROOT = Path("/sys/fs/cgroup")


def existing() -> list[Path]:
    """Those that nodes have made, in every hierarchy."""
    return [*_ROOT.glob("lab-n*"), *_ROOT.glob("*/lab-n*")]


def remove(node: str) -> None:
    """Those of one node. Its processes are gone; the kernel may still be busy with them."""
    wait_until(f"control groups of {node} are removed", lambda: _removed(f"lab-{node}"), seconds=20)


def _removed(name: str) -> bool:
    trees = [path for path in existing() if path.name == name]
    for tree in trees:
        for directory, _, _ in os.walk(tree, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
    return not any(tree.exists() for tree in trees)
