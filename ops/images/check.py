"""Whether an image is one that the entry scripts know, from its files alone: nothing of it is run.

What a script needs is read from the script itself (components/scripts/<image>/): the init that it runs, and the commands by
which that may hand over to the daemon. What only shows when the daemon reads its configuration is seen by a rehearsal
(ops/images/rehearsing.py), which every update makes before it touches a pod, too (components/rehearsal.py).
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components import entry
from ops.images.layers import Tree

Level = Literal["does not fit", "warning"]

_RUN = re.compile(r"^\s*run_init\s+(/\S+)", re.MULTILINE)
_HAND_OVER = re.compile(r"^\s*at_daemon\s+\S+\s+(.*)$", re.MULTILINE)
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where an image's init finds a command without a folder."""


@dataclass(frozen=True)
class Need:
    """A file that an entry script edits or calls."""

    path: str
    effect: str
    """What would be lost without it."""
    option: str = ""
    """By which an init names another file to its daemon; then this one need not be there (start.sh reads the same)."""


NEEDS: Mapping[str, tuple[Need, ...]] = {
    "proxy": (),
    "imap": (
        Need("/etc/imapd.conf", "mailboxes that make themselves at the first message", "-C"),
        Need("/etc/cyrus.conf", "ManageSieve for the public", "-M"),
    ),
    "postfix": (
        Need("/etc/postfix/main.cf", "who may relay, and what is checked on port 25"),
        Need("/etc/postfix/master.cf", "the listener at which Amavis hands mail back, and who may reach it"),
        Need("/usr/sbin/postconf", "every adjustment of Postfix"),
    ),
    "amavis": (Need("/etc/amavisd/amavisd.conf", "what is signed, and what happens to spam", "-c"),),
    "collabora": (
        Need("/etc/coolwsd/coolwsd.xml", "which hosts may have documents opened", "--config-file="),
    ),
    "webapp": (
        Need("/opt/app-root/src/artisan", "migrations, jobs and the seed"),
        Need("/update.sh", "the authorities that the application trusts"),
    ),
    "roundcube": (),
}
"""Image -> what its entry script needs besides the init and the daemon."""


@dataclass(frozen=True)
class Misfit:
    """One thing that is not as the entry script needs it."""

    level: Level
    text: str


def judge(name: str, files: Tree) -> list[Misfit]:
    """What is wrong with an image; empty when its entry script knows all of it, or when there is none."""
    if name not in NEEDS:
        return []
    script = entry.scripts(name)["entry.sh"]
    (path,) = _RUN.findall(script)
    init = files.text(path)
    found = [*_missing(name, files, init or ""), *_init(files, path, init, script)]
    return [Misfit("does not fit", text) for text in dict.fromkeys(found)]


def _missing(name: str, files: Tree, init: str) -> Iterator[str]:
    for need in NEEDS[name]:
        named_otherwise = need.option and need.option in init and need.path not in init
        if files.find(need.path) is None and not named_otherwise:
            yield f"{need.path} is not in it: {need.effect} cannot be looked after"


def _init(files: Tree, path: str, init: str | None, script: str) -> Iterator[str]:
    if init is None:
        yield f"{path} is not in it, which its entry script runs"
        return
    if problem := _syntax(init):
        yield f"{path} is no script that bash can read: {problem}"
    for names in daemons(script):
        started = [name for name in names if re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/.-])", init)]
        if not started:
            yield f"{path} starts none of {', '.join(names)}: what is adjusted at that moment would never run"
        elif not any(_is_there(files, name, names) for name in started):
            yield f"{', '.join(started)} is not in it, which {path} starts"


def daemons(script: str) -> Iterator[list[str]]:
    """The commands by which an init may hand over to its daemon, of each hand-over in an entry script."""
    for words in _HAND_OVER.findall(script.replace("\\\n", " ")):
        given = shlex.split(words)
        yield given[: given.index("--")] if "--" in given else given


def _is_there(files: Tree, name: str, names: Sequence[str]) -> bool:
    if not any(each.startswith("/") for each in names):
        # Words of an application, which say what of it is meant (webapp/entry.sh).
        return True
    # A variable PATH of the image may lead to any of the others.
    places = [name] if name.startswith("/") else [*names, *(f"{folder}/{name}" for folder in _PATH)]
    return any(files.find(place) for place in places if place.startswith("/"))


def _syntax(text: str) -> str:
    """What bash says when it reads a script without running it."""
    done = subprocess.run(
        ["bash", "--norc", "-n"], input=text, text=True, capture_output=True, check=False, timeout=20
    )
    return done.stderr.strip().rpartition("bash: ")[2] if done.returncode else ""
