"""Images of which programs run in a room: a few files of their own, over the programs of this machine."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ops.room import outside
from ops.room.outside import NoRoom, Said, Task

SHOWN = [folder for folder in ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/share/perl5", "/usr/share/perl") if Path(folder).is_dir()]  # fmt: skip
"""What of this machine such an image sees; nothing that is anybody's own."""
_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
_USERS = (
    "root:x:0:0::/:/bin/bash",
    "default:x:1001:0::/opt:/bin/bash",
    "amavis:x:115:115::/var/lib/amavis:/bin/sh",
)


def needs_room() -> None:
    """Skips the test where no image can be run, and says why."""
    if sys.platform != "linux" or not Path("/bin").is_symlink():
        pytest.skip("the programs of this machine are not where those of a small image would be")
    try:
        outside.run(
            Task(
                layers=[], shown=SHOWN, command=["/usr/bin/true"], environment={}, user=0, group=0, seconds=30
            )
        )
    except NoRoom as reason:
        pytest.skip(str(reason))


def tar(
    path: Path, files: Mapping[str, str | None], links: Mapping[str, str] | None = None, owner: int = 0
) -> Path:
    """A layer, as a plain tar; None makes a whiteout, a name that ends with / a folder."""
    with tarfile.open(path, "w") as made:
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            made.addfile(entry)
        for name, text in files.items():
            folder, _, last = name.strip("/").rpartition("/")
            entry = tarfile.TarInfo(f"{folder}/.wh.{last}" if text is None else name.strip("/"))
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            content = (text or "").encode()
            entry.size, entry.mode, entry.uid = len(content), 0o1777 if name == "tmp/" else 0o755, owner
            made.addfile(entry, io.BytesIO(content))
    return path


def machine(path: Path) -> Path:
    """The lowest layer: where programs look for others, for libraries, and for users."""
    files: dict[str, str | None] = {
        "etc/passwd": "".join(f"{line}\n" for line in _USERS),
        "etc/group": "root:x:0:\ndefault:x:1001:\namavis:x:115:\n",
        "etc/nsswitch.conf": "hosts: files dns\n",
        "tmp/": "",
        "run/": "",
        "var/log/": "",
    }
    if os.path.exists("/etc/alternatives"):
        files["etc/alternatives/"] = ""
    return tar(path, files, _LINKS)


def run(folder: Path, script: str, *layers: Path, **more: object) -> Said:
    """What a script of bash says in a room."""
    task = {"command": ["/bin/bash", "-c", script], "environment": {"PATH": "/usr/sbin:/usr/bin"}, "user": 0, "group": 0, "seconds": 60}  # fmt: skip
    below: Sequence[str] = [str(machine(folder / "machine.tar")), *map(str, layers)]
    return outside.run(Task(layers=below, shown=SHOWN, **{**task, **more}))  # type: ignore[arg-type]
