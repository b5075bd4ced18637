"""The files of an image, read out of its layers without running anything (OCI image specification, layer.md)."""

from __future__ import annotations

import gzip
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

from ops.images.reference import Image
from ops.images.registry import Manifest, Registries
from ops.stacks import StackProblem

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LARGEST = 1 << 20
"""Bytes of a file whose content is kept: scripts and configuration are smaller."""
_LINKS = 40
"""Symbolic links on one way, as Linux has it (path_resolution(7))."""


@dataclass(frozen=True)
class Entry:
    """One name in an image: a file, a folder, or a symbolic link to `target`."""

    kind: str
    executable: bool = False
    target: str = ""
    content: bytes | None = field(default=None, repr=False)
    """Only of files that were asked for."""


@dataclass
class Tree:
    """What a container sees at its start. Paths begin with /."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def find(self, path: str) -> Entry | None:
        """What is at `path`, through all symbolic links; None when nothing is."""
        place, left, links = "/", list(PurePosixPath(path).parts[1:]), 0
        while left:
            name = left.pop(0)
            if name == "..":
                place = str(PurePosixPath(place).parent)
                continue
            at = str(PurePosixPath(place) / name)
            entry = self.entries.get(at)
            if entry is None:
                return None
            if entry.kind != "link":
                place = at
                continue
            links += 1
            if links > _LINKS:
                return None
            goal = PurePosixPath(entry.target)
            if goal.is_absolute():
                place = "/"
            left[:0] = [part for part in goal.parts if part not in ("/", ".")]
        return self.entries.get(place, Entry("folder") if place == "/" else None)

    def text(self, path: str) -> str | None:
        """The content of a small file that was asked for."""
        found = self.find(path)
        return found.content.decode("utf-8", "replace") if found and found.content is not None else None

    def add(self, layer: tarfile.TarFile, wanted: Callable[[str], bool]) -> None:
        """Lays a layer over what is there: what it removes goes first, whatever the order in its tar."""
        made: dict[str, Entry] = {}
        for member in layer:
            path = str(PurePosixPath("/") / PurePosixPath(member.name.lstrip("/")))
            folder, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
            if ".." in PurePosixPath(path).parts or not name:
                continue
            if name == _OPAQUE:
                self._remove_below(folder)
            elif name.startswith(_WHITEOUT):
                self._remove(str(PurePosixPath(folder) / name.removeprefix(_WHITEOUT)))
            else:
                made[path] = self._entry(layer, member, made, wanted, path)
        for path, entry in made.items():
            if entry.kind != "folder":
                self._remove(path)
            self.entries[path] = entry
            for above in map(str, PurePosixPath(path).parents):
                self.entries.setdefault(above, Entry("folder"))

    def _entry(
        self,
        layer: tarfile.TarFile,
        member: tarfile.TarInfo,
        made: dict[str, Entry],
        wanted: Callable[[str], bool],
        path: str,
    ) -> Entry:
        if member.isdir():
            return Entry("folder")
        if member.issym():
            return Entry("link", target=member.linkname)
        if member.islnk():
            other = str(PurePosixPath("/") / member.linkname.lstrip("/"))
            return made.get(other) or self.entries.get(other) or Entry("file")
        content = None
        if member.isreg() and member.size <= _LARGEST and wanted(path):
            stream = layer.extractfile(member)
            content = stream.read() if stream else None
        return Entry("file", bool(member.mode & 0o111), content=content)

    def _remove(self, path: str) -> None:
        self.entries.pop(path, None)
        self._remove_below(path)

    def _remove_below(self, folder: str) -> None:
        start = "/" if folder == "/" else f"{folder}/"
        for path in [each for each in self.entries if each.startswith(start) and each != folder]:
            del self.entries[path]


def tree(registries: Registries, image: Image, manifest: Manifest, wanted: Callable[[str], bool]) -> Tree:
    """The files of a single image. Raises StackProblem when a layer cannot be had or read."""
    found = Tree()
    for described in manifest.document.parts[1:]:
        digest = described.digest
        with tempfile.TemporaryFile() as stored:
            for part in registries.blob(image, digest):
                stored.write(part)
            stored.seek(0)
            try:
                with _unpacked(stored) as plain, tarfile.open(fileobj=plain, mode="r|") as opened:
                    found.add(opened, wanted)
            except (tarfile.TarError, OSError, EOFError, ValueError):
                raise StackProblem(f"{image.asked}: layer {digest} is no archive that can be read") from None
    return found


@contextmanager
def _unpacked(stored: IO[bytes]) -> Iterator[IO[bytes]]:
    """The tar of a layer, by what its first bytes say: media types are not always right."""
    magic = stored.read(4)
    stored.seek(0)
    if magic[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=stored) as plain:
            yield plain  # type: ignore[misc]
    elif magic == b"\x28\xb5\x2f\xfd":
        with _zstd(stored) as plain:
            yield plain
    else:
        yield stored


@contextmanager
def _zstd(stored: Any) -> Iterator[IO[bytes]]:
    # The program reads the file itself, from where the file and not Python's buffer stands.
    stored.flush()
    os.lseek(stored.fileno(), 0, os.SEEK_SET)
    try:
        process = subprocess.Popen(["zstd", "-dcq"], stdin=stored, stdout=subprocess.PIPE)
    except FileNotFoundError:
        raise StackProblem("a layer is packed with zstd: install the program zstd") from None
    with process:
        plain = process.stdout
        if plain is None:
            raise ValueError("no output")
        yield plain
        # What follows the archive's end; else the program would be stopped amid it.
        while plain.read(1 << 20):
            pass
    if process.returncode != 0:
        raise ValueError("not zstd")
