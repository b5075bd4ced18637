"""Lays the layers of an image over one another, below / (OCI image specification, layer.md).

It runs where / is the room's own: whatever links lie in an image, they lead nowhere else.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from contextlib import suppress
from typing import IO

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_MADE_HERE = ("dev", "proc", "sys")
"""Folders of the room itself."""


def lay(layer: IO[bytes]) -> None:
    """Lays one layer over what is there. What it removes are never its own, whatever the order in its tar."""
    made: set[str] = set()
    with tarfile.open(fileobj=layer, mode="r:") as opened:
        for member in opened:
            if not (path := _path(member)):
                continue
            # By its real name: folders may be reached through links.
            path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if os.path.basename(path).startswith(_WHITEOUT):
                _take_away(path, made)
            else:
                _put(opened, member, path)
                made.add(path)


def _path(member: tarfile.TarInfo) -> str:
    """Where it belongs; nothing for what lies outside of the image or in a folder of the room itself."""
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    return "" if not parts or ".." in parts or parts[0] in _MADE_HERE else "/" + "/".join(parts)


def _take_away(path: str, made: set[str]) -> None:
    folder, name = os.path.split(path)
    if name != _OPAQUE:
        gone = os.path.join(folder, name.removeprefix(_WHITEOUT))
        if gone not in made:
            _remove(gone)
        return
    for at, folders, names in os.walk(folder, topdown=False):
        for each in (*names, *folders):
            if (below := os.path.join(at, each)) not in made:
                with suppress(OSError):
                    # A folder with something of this layer in it stays.
                    os.rmdir(below) if each in folders and not os.path.islink(below) else os.unlink(below)


def _put(opened: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    folder = os.path.dirname(path)
    # A file where a folder has to be, from a layer below, gives way, and so does a link that leads nowhere.
    if not os.path.isdir(folder):
        _remove(folder)
        os.makedirs(folder)
    if not (member.isdir() and os.path.isdir(path) and not os.path.islink(path)):
        _remove(path)
    if member.isdir():
        os.makedirs(path, exist_ok=True)
        _own(path, member)
    elif member.issym():
        os.symlink(member.linkname, path)
        os.chown(path, member.uid, member.gid, follow_symlinks=False)
    elif member.islnk():
        os.link("/" + member.linkname.lstrip("/"), path, follow_symlinks=False)
    elif member.isfifo():
        os.mkfifo(path)
        _own(path, member)
    elif member.isreg():
        with open(path, "wb") as file:
            if source := opened.extractfile(member):
                shutil.copyfileobj(source, file)
        _own(path, member)
    # Devices are left out: a room has its own.


def _own(path: str, member: tarfile.TarInfo) -> None:
    os.chown(path, member.uid, member.gid)
    os.chmod(path, stat.S_IMODE(member.mode))


def _remove(path: str) -> None:
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return
