"""The files of an image, read out of its layers without running anything (OCI image specification, layer.md)."""

from __future__ import annotations

import tarfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ops.images.reference import Image
from ops.stacks import StackProblem

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LARGEST = 1 << 20
"""Bytes of a file that is read: scripts and configuration are smaller."""
_LINKS = 40
"""Symbolic links on one way, as Linux has it (path_resolution(7))."""


@dataclass(frozen=True)
class Entry:
    """One name in an image: a file, a folder, or a symbolic link to `target`."""

    kind: str
    executable: bool = False
    target: str = ""
    stored: tuple[tarfile.TarFile, tarfile.TarInfo] | None = field(default=None, repr=False)
    """Where the content of a file is."""

    @property
    def text(self) -> str | None:
        """The content of a small file."""
        if self.stored is None or self.stored[1].size > _LARGEST:
            return None
        stream = self.stored[0].extractfile(self.stored[1])
        return stream.read().decode("utf-8", "replace") if stream else None


@dataclass
class Tree:
    """What a container sees at its start. Paths begin with /."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def find(self, path: str) -> Entry | None:
        """What is at `path`, through all symbolic links; None when nothing is."""
        place = self._real(path)
        return self.entries.get(place, Entry("folder") if place == "/" else None) if place else None

    def text(self, path: str) -> str | None:
        """The content of a small file."""
        found = self.find(path)
        return found.text if found else None

    def add(self, layer: tarfile.TarFile) -> None:
        """Lays a layer over what is there. What it removes are never its own, whatever the order in its tar."""
        made: set[str] = set()
        for member in layer:
            path = PurePosixPath("/") / PurePosixPath(member.name.lstrip("/"))
            if ".." in path.parts or not path.name:
                continue
            place = self._place(path)
            if path.name == _OPAQUE:
                self._remove_below(str(PurePosixPath(place).parent), made)
            elif path.name.startswith(_WHITEOUT):
                gone = str(PurePosixPath(place).with_name(path.name.removeprefix(_WHITEOUT)))
                if gone not in made:
                    self._remove(gone)
            else:
                self._put(place, self._entry(layer, member))
                made.add(place)

    def _put(self, place: str, entry: Entry) -> None:
        before = self.entries.get(place)
        if before and not before.kind == entry.kind == "folder":
            self._remove(place)
        self.entries[place] = entry
        for above in map(str, PurePosixPath(place).parents):
            self.entries.setdefault(above, Entry("folder"))

    def _entry(self, layer: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
        if member.isdir():
            return Entry("folder")
        if member.issym():
            return Entry("link", target=member.linkname)
        if member.islnk():
            other = PurePosixPath("/") / member.linkname.lstrip("/")
            return self.entries.get(self._place(other)) or Entry("file")
        return Entry("file", bool(member.mode & 0o111), stored=(layer, member) if member.isreg() else None)

    def _place(self, path: PurePosixPath) -> str:
        """Where a name lies: its folder may be reached through links. One that is not there yet is made as it is called."""
        folder = self._real(str(path.parent), made=True)
        return str(PurePosixPath(folder or path.parent) / path.name)

    def _real(self, path: str, *, made: bool = False) -> str | None:
        """`path` without symbolic links; None when nobody comes there, or nothing is there and will not be `made`."""
        place, left, links = "/", list(PurePosixPath(path).parts[1:]), 0
        while left:
            name = left.pop(0)
            if name == "..":
                place = str(PurePosixPath(place).parent)
                continue
            at = str(PurePosixPath(place) / name)
            entry = self.entries.get(at)
            if entry is None and not made:
                return None
            if entry is None or entry.kind != "link":
                place = at
                continue
            links += 1
            if links > _LINKS:
                return None
            goal = PurePosixPath(entry.target)
            if goal.is_absolute():
                place = "/"
            left[:0] = [part for part in goal.parts if part not in ("/", ".")]
        return place

    def _remove(self, path: str) -> None:
        found = self.entries.pop(path, None)
        if found and found.kind == "folder":
            self._remove_below(path)

    def _remove_below(self, folder: str, kept: Collection[str] = ()) -> None:
        start = "/" if folder == "/" else f"{folder}/"
        for path in [each for each in self.entries if each.startswith(start) and each != folder]:
            if path not in kept:
                del self.entries[path]


@contextmanager
def tree(image: Image, archives: Sequence[Path]) -> Iterator[Tree]:
    """The files that these layers leave, as long as the block lasts. Raises StackProblem when one cannot be read."""
    found = Tree()
    with ExitStack() as stack:
        for archive in archives:
            try:
                found.add(stack.enter_context(tarfile.open(archive, mode="r:")))
            except (tarfile.TarError, EOFError, ValueError):
                raise StackProblem(
                    f"{image.asked}: layer {archive.stem} is no archive that can be read: push the image anew"
                ) from None
        yield found
