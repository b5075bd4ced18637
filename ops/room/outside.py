"""Asks for a room (inside.py), and says why this machine has none."""

from __future__ import annotations

import getpass
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.room.inside import NO_ROOM

ROOT = Path(__file__).resolve().parent.parent.parent
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from ops.room.inside import main; main()"
_USERS = 65536
"""Users of a room, as in a container."""
_FIRST = 0x70000000
"""Outside, the first of them where root calls: nobody's."""
_UNPACKING = 600
"""Seconds for all but the command itself."""
_SPARE = 256 << 20
"""Bytes of a room beyond its image."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Linux' names -> those of images, where they differ."""


class NoRoom(Exception):
    """This machine cannot run an image by itself; the message says why, without a capital letter or a full stop."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A command, and all that it finds and may."""

    layers: Sequence[str]
    """Plain tars, the lowest one first."""
    folders: Sequence[tuple[str, int, int]] = ()
    """Path, mode, group."""
    files: Sequence[tuple[str, int, int, str]] = ()
    """Path, mode, group, text; they belong to root."""
    shown: Sequence[str] = ()
    """Folders of this machine that are seen, at their own places, and cannot be changed; none but in tests."""
    command: Sequence[str]
    environment: dict[str, str] = field(repr=False)
    folder: str = "/"
    user: int
    group: int
    groups: Sequence[int] = ()
    capabilities: Sequence[str] = ()
    escalation: bool = False
    """Whether a file may give more rights than its caller has (setuid)."""
    seconds: float
    """Until the command is stopped."""


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit code, or None when its seconds were over; and all that it printed."""

    status: int | None
    text: str


def run(task: Task) -> Said:
    """Does the task in a room of its own. Raises NoRoom when this machine has none for it."""
    if sys.platform != "linux":
        raise NoRoom("this machine does not run Linux")
    size = sum(os.path.getsize(layer) for layer in task.layers) + _SPARE
    if size > (free := _free()):
        raise NoRoom(
            f"it needs {size >> 20} MB of memory while it is looked at, and {free >> 20} are free here"
        )
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _PROGRAM, str(ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
    )
    with process:
        try:
            return _asked(process, json.dumps({**vars(task), "bytes": size}))
        finally:
            process.kill()


def is_here(wanted: str) -> bool:
    """Whether this machine runs images for a platform such as linux/amd64."""
    machine = platform.machine()
    return wanted == f"linux/{_ARCHITECTURES.get(machine, machine)}"


def _asked(process: subprocess.Popen[str], task: str) -> Said:
    first = process.stdout.readline() if process.stdout else ""
    if first != "ready\n":
        _, complaint = process.communicate()
        raise NoRoom(_why(first or complaint))
    _give_users(process.pid)
    try:
        answer, complaint = process.communicate(f"{task}\n", timeout=_UNPACKING + json.loads(task)["seconds"])
    except subprocess.TimeoutExpired:
        raise NoRoom(f"it was not unpacked within {_UNPACKING} seconds") from None
    try:
        found = json.loads(answer)
        return Said(found["status"], found["said"])
    except (ValueError, KeyError, TypeError):
        raise NoRoom(_why(answer or complaint)) from None


def _give_users(process: int) -> None:
    """Users of the room, none of which is one of this machine: nobody's for root, else those that root has set aside for us."""
    if os.geteuid() == 0:
        for kind in ("uid", "gid"):
            try:
                Path(f"/proc/{process}/{kind}_map").write_text(f"0 {_FIRST} {_USERS}")
            except OSError as error:
                raise NoRoom(f"this machine gives it no users of its own ({error.strerror})") from None
        return
    for kind in ("uid", "gid"):
        program = shutil.which(f"new{kind}map")
        first = _set_aside(Path(f"/etc/sub{kind}"))
        if program is None or first is None:
            raise NoRoom(
                f"only root can, or who has {_USERS} users set aside for them in /etc/subuid and /etc/subgid and the program"
                " newuidmap (packages uidmap or shadow-utils)"
            )
        done = subprocess.run(
            [program, str(process), "0", str(first), str(_USERS)], capture_output=True, check=False
        )
        if done.returncode != 0:
            raise NoRoom(f"{program} gives it no users of its own")


def _set_aside(file: Path) -> int | None:
    """The first of enough users that are ours to give (subuid(5))."""
    try:
        lines = [line.split(":") for line in file.read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        return None
    ours = (str(os.geteuid()), getpass.getuser())
    found = (int(each[1]) for each in lines if len(each) == 3 and each[0] in ours and _enough(each))
    return next(found, None)


def _enough(line: Sequence[str]) -> bool:
    return line[1].isdecimal() and line[2].isdecimal() and int(line[2]) >= _USERS


def _free() -> int:
    """Bytes of memory that nobody needs."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return 0


def _why(said: str) -> str:
    """Why it could not, from its answer or its last words."""
    try:
        reason = str(json.loads(said)["cannot"])
    except (ValueError, KeyError, TypeError):
        reason = f"{NO_ROOM} ({(said.splitlines() or ['it ended without a word'])[-1]})"
    return "".join(filter(str.isprintable, reason))[:300]
