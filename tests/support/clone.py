"""A clone of what lies in this checkout, as a user or a forge would have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
_WHO = ("-c", "user.name=t", "-c", "user.email=t@example.org")


def git(root: Path, *arguments: str) -> str:
    """What git prints; it has to succeed."""
    done = subprocess.run(
        ["git", "-C", str(root), *_WHO, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def commit(root: Path, message: str) -> None:
    """Everything in a working tree becomes a commit."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def repository(root: Path) -> Path:
    """A repository with the files of this checkout, uncommitted ones too, as its one commit on `main`."""
    for name in filter(
        None, git(CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    ):
        if (CHECKOUT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, root / name)
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit(root, "clone")
    return root


def lend(root: Path) -> None:
    """The virtual environment of these tests, which is none too old, to a clone."""
    (root / ".venv").symlink_to(sys.prefix)
    os.utime(root / "requirements-dev.txt", (0, 0))
