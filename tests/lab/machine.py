"""This machine: what a lab needs of it, and what it puts back."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import paths, programs
from tests.lab.errors import LabError
from tests.lab.processes import run

# Nodes put their own in these places, in mount namespaces of their own; the places themselves have to exist.
_PLACES = ("/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/log/pods", "/var/log/containers")
_NAMESPACES = Path("/run/netns")


@dataclass
class Mark:
    """Says on this machine that there is a lab, whose it is, and what `down` has to put back."""

    state: str
    settings: str
    kubernetes: str = programs.NEWEST.version
    complete: bool = False
    images: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    mounted: list[str] = field(default_factory=list)

    def write(self) -> None:
        """In one step: a reader never sees half of it."""
        scratch = paths.MARK.with_suffix(".new")
        scratch.write_text(json.dumps(asdict(self)))
        scratch.replace(paths.MARK)

    @staticmethod
    def read() -> Mark | None:
        """The mark that is there, or None."""
        try:
            content: dict[str, Any] = json.loads(paths.MARK.read_text())
        except FileNotFoundError:
            return None
        return Mark(**content)


@contextlib.contextmanager
def lock(name: str = "kolab-lab", said: str = "makes or removes the lab of this machine") -> Iterator[None]:
    """Only one process at a time does what `said` says; raises LabError in the others.

    A name in the kernel's own space: it leaves no file behind, and is free again when the process has ended.
    """
    with socket.socket(socket.AF_UNIX) as held:
        try:
            held.bind(f"\0{name}")
        except OSError:
            raise LabError(f"somebody else {said} right now") from None
        yield


def require_root() -> None:
    """Namespaces, mounts and control groups need it."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and mounts: run it as root")


def prepare(mark: Mark) -> None:
    """Make the places, and note in the mark which ones were not there."""
    for path in _missing():
        mark.made.append(str(path))
        mark.write()
        path.mkdir()
    if not _is_mount(_NAMESPACES):
        mark.mounted.append(str(_NAMESPACES))
        mark.write()
    for module, proof in {"br_netfilter": "/proc/sys/net/bridge", "overlay": "/sys/module/overlay"}.items():
        if not Path(proof).exists():
            # Built in, or already there under another name: what needs it will say so.
            with contextlib.suppress(LabError, OSError):
                run(["modprobe", module])


@contextlib.contextmanager
def places() -> Iterator[None]:
    """The places are there, for labs in rooms: none of those makes them, or takes them from the others."""
    made = []
    try:
        for path in _missing(_NAMESPACES):
            path.mkdir()
            made.append(path)
        yield
    finally:
        _remove_empty(made)


def restore(mark: Mark) -> None:
    """Remove what `prepare` made, unless somebody else uses it by now."""
    for path in map(Path, mark.mounted):
        if _is_mount(path) and not any(path.iterdir()):
            run(["umount", path])
            with contextlib.suppress(OSError):
                path.rmdir()
    _remove_empty([Path(path) for path in mark.made])
    paths.MARK.unlink(missing_ok=True)


def _missing(*more: Path) -> Iterator[Path]:
    """What has to be made, parents first."""
    for place in (*map(Path, _PLACES), *more):
        for path in (*reversed(place.parents), place):
            if not path.exists():
                yield path


def _remove_empty(directories: Sequence[Path]) -> None:
    """Children first; one that somebody else uses by now stays.

    So does one on which a lab in a room has mounted its own, which this process does not see: the kernel would take
    that mount away with the directory, and the lab's network with it.
    """
    for path in reversed(directories):
        if not any(_is_mount(path, process) for process in _one_of_each_mount_namespace()):
            with contextlib.suppress(OSError):
                path.rmdir()


def _one_of_each_mount_namespace() -> Iterator[str]:
    seen = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (space := (process / "ns" / "mnt").readlink()) not in seen:
                seen.add(space)
                yield process.name


def _is_mount(path: Path, process: str = "self") -> bool:
    """Also of a directory that is mounted on itself, as `ip netns add` does; Path.is_mount does not see that."""
    try:
        lines = Path(f"/proc/{process}/mountinfo").read_text().splitlines()
    except OSError:
        # It has ended.
        return False
    return any(line.split()[4] == str(path) for line in lines)
