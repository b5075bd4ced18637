"""The per-user cache: where tools lie, how they get there whole or not at all, and what was tried in vain."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

RETRY_AFTER_SECONDS = 24 * 3600


def root() -> Path:
    """Where everything the toolchain gets is kept: shared by all checkouts of one user."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "kolab" / "toolchain"


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """Only one process obtains things at a time; the second one then finds them made."""
    root().mkdir(parents=True, exist_ok=True)
    with (root() / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def new_directory(target: Path) -> Iterator[Path]:
    """A scratch directory that becomes `target` in one step, and only if nothing went wrong on the way."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield scratch
        scratch.chmod(0o755)  # mkdtemp makes it private
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_script(path: Path, text: str) -> None:
    """Put an executable script in place; a reader sees the old one or the new one, never half of it."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(scratch).chmod(0o755)
    os.replace(scratch, path)


def remember_failure(what: str, reason: str) -> None:
    """Note that `what` could not be had, so that the next runs need not wait for the same timeout."""
    path = root() / "tried.json"
    tried = _tried()
    tried[what] = {"at": time.time(), "reason": reason}
    root().mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(tried, indent=1) + "\n")
    scratch.replace(path)


def failed_lately(what: str) -> str | None:
    """Why `what` could not be had less than a day ago, or None when it is worth another try."""
    entry = _tried().get(what, {})
    at, reason = entry.get("at"), entry.get("reason")
    if isinstance(at, (int, float)) and 0 <= time.time() - at < RETRY_AFTER_SECONDS:
        return str(reason)
    return None


def forget_failures() -> None:
    """Make every failed attempt worth another try (`--refresh`)."""
    (root() / "tried.json").unlink(missing_ok=True)


def _tried() -> dict[str, dict[str, object]]:
    try:
        tried = json.loads((root() / "tried.json").read_text())
    except (OSError, ValueError):
        return {}
    return tried if isinstance(tried, dict) else {}
