"""The scripts that containers run: files of components/scripts/, mounted as they are beside the data that they read.

Kolab's images write their configuration themselves, at every start, with sed and heredocs, and the mail part of nginx
has no include: there is no file to mount over. So an `entry.sh` runs the image's own init as it is, and takes over at the
moment at which that hands over to its daemon, however the line is written (`at_daemon` in `adjust.sh`): `start.sh` then
adjusts what has been written, by what it means and not by how it looks, judges it as the daemon itself reads it, and
starts the daemon. If an image cannot be made right, the container exits with a sentence instead of running with half of
its adjustments. With KOLAB_TASK=rehearse all of that happens but for the start.

Nothing here makes program text. What differs between stacks is data: a file of `NAME='value'` lines, environment
variables, or arguments.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PATH = "/kolab/entry"
"""Where the scripts of a container are mounted."""

SETTINGS = "settings"
"""File of data beside the scripts. `adjust.sh` reads it."""

_SCRIPTS = Path(__file__).parent / "scripts"
_SHARED = {
    "adjust.sh": f"source {PATH}/adjust.sh",
    "client.sh": f"source {PATH}/client.sh",
    "mail-client/mail_client.py": "import mail_client",
}
"""File below components/scripts/ that lies beside each script which has this line."""
_NAME = re.compile(r"KOLAB_[A-Z_]+")
"""Names of settings: the image's own inits, which are sourced after them, have variables too."""


def command(script: str, *arguments: str, interpreter: str = "/bin/bash") -> tuple[str, ...]:
    """The command that runs a script of the container."""
    return (interpreter, f"{PATH}/{script}", *arguments)


COMMAND = command("entry.sh")
"""Command of a container that is started through its entry script."""


@cache
def scripts(folder: str) -> Mapping[str, str]:
    """The files of components/scripts/`folder`, by name. Raises FileNotFoundError when there are none."""
    # Python leaves a folder of bytecode beside a program of ours that somebody has imported.
    files = (file for file in sorted((_SCRIPTS / folder).iterdir()) if file.is_file())
    found = {file.name: file.read_text() for file in files}
    shared = (path for path, line in _SHARED.items() if any(line in text for text in found.values()))
    return found | {Path(path).name: (_SCRIPTS / path).read_text() for path in shared}


def files(folder: str, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The scripts of `folder` and the data that they read. Raises ValueError for a name that an init might use."""
    lines = [_assignment(name, value) for name, value in (settings or {}).items()]
    return dict(scripts(folder)) | ({SETTINGS: "".join(lines)} if lines else {})


def _assignment(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name}: settings of scripts are called KOLAB_...")
    return f"{name}={shlex.quote(value)}\n"
