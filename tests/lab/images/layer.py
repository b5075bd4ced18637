"""An image's own layer: its files put over the base, then its setup.sh run there; what changed is the layer."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab.errors import LabError


@contextmanager
def overlay(lower: Sequence[Path], scratch: Path) -> Iterator[Path]:
    """A writable view of `lower` (topmost first); changes go to scratch/upper."""
    upper, work, merged = (scratch / name for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        folder.mkdir(parents=True, exist_ok=True)
    below = ":".join(map(str, lower))
    # Without these two, moved folders and changed modes are references that no tar can hold.
    options = f"lowerdir={below},upperdir={upper},workdir={work},redirect_dir=off,metacopy=off"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(merged)], check=True)
    try:
        yield merged
    finally:
        subprocess.run(["umount", str(merged)], check=True)


def make(
    base: Path, trees: Sequence[Path], extra: dict[str, str], setup: Sequence[Path], scratch: Path
) -> bytes:
    """The layer's tar; the same as an overlay's upper folder stays in `scratch`. `trees` are copied in order, then `extra` files, then each script runs in a chroot."""
    os.umask(0o022)
    with overlay([base], scratch) as merged:
        for tree in trees:
            _copy(tree, merged)
        for path, text in extra.items():
            target = merged / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        for script in setup:
            done = subprocess.run(
                ["chroot", str(merged), "/bin/sh", "-eu"],
                input=script.read_text(),
                text=True,
                capture_output=True,
                check=False,
            )
            if done.returncode:
                raise LabError(f"{script} left with {done.returncode}: {done.stderr.strip()}")
    return _tar(scratch / "upper")


def _copy(tree: Path, target: Path) -> None:
    """Files keep whether they can be run, and nothing else: the checkout's owner and umask do not count."""
    for source in sorted(
        path for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ):
        copy = target / source.relative_to(tree)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        shutil.copyfile(source, copy)
        copy.chmod(0o755 if runnable(source) else 0o644)


def runnable(path: Path) -> bool:
    """Whether a file of the checkout is a program."""
    return bool(path.stat().st_mode & stat.S_IXUSR)


def _tar(upper: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder, names, files in os.walk(upper):
            names.sort()
            for name in sorted([*names, *files]):
                path = Path(folder, name)
                _add(tar, path, path.relative_to(upper))
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, path: Path, name: Path) -> None:
    status = path.lstat()
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        _marker(tar, name.parent / f".wh.{name.name}")
        return
    entry = tar.gettarinfo(str(path), arcname=str(name))
    entry.uname = entry.gname = ""
    # The same recipe gives the same layer.
    entry.mtime = 0
    if entry.isreg():
        with path.open("rb") as stream:
            tar.addfile(entry, stream)
        return
    tar.addfile(entry)
    if entry.isdir() and _opaque(path):
        _marker(tar, name / ".wh..wh..opq")


def _opaque(folder: Path) -> bool:
    try:
        return os.getxattr(folder, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False


def _marker(tar: tarfile.TarFile, name: Path) -> None:
    tar.addfile(tarfile.TarInfo(str(name)))
