"""Control groups of nodes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.lab import paths
from tests.lab.progress import wait_until

_ROOT = Path("/sys/fs/cgroup")


def name(node: str) -> str:
    """Of the group of a node, in every hierarchy."""
    return f"{paths.LAB}-{node}"


def existing() -> list[Path]:
    """Those that nodes have made, in every hierarchy."""
    return [*_ROOT.glob(name("n[1-9]")), *_ROOT.glob(f"*/{name('n[1-9]')}")]


def remove(node: str) -> None:
    """Those of one node. Its processes are gone; the kernel may still be busy with them."""
    _remove(name(node))


def remove_all() -> None:
    """Those of all nodes that there ever were."""
    for group in {path.name for path in existing()}:
        _remove(group)


def _remove(group: str) -> None:
    wait_until(f"control groups {group} are removed", lambda: _removed(group), seconds=20)


def _removed(group: str) -> bool:
    trees = [path for path in existing() if path.name == group]
    for tree in trees:
        for directory, _, _ in os.walk(tree, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
    return not any(tree.exists() for tree in trees)
