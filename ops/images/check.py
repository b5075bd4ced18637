"""Whether an image is one that the entry scripts know, from its files alone: nothing of it is run.

What a script needs is read from the script itself (components/scripts/<image>/): the init that it runs, and the command at
which that hands over to the daemon. What only shows when the daemon reads its configuration is seen by the rehearsal that
every update makes before it touches a pod (components/rehearsal.py).
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from components import entry
from ops.images.layers import Tree

Level = Literal["does not fit", "warning"]

_RUN = re.compile(r"^\s*run_init\s+(/\S+)", re.MULTILINE)
_HAND_OVER = re.compile(r"^\s*at_daemon\s+\S+\s+(.*)$", re.MULTILINE)

FILES: Mapping[str, Mapping[str, str]] = {
    "proxy": {"/usr/sbin/nginx": "web, IMAP and submission"},
    "imap": {
        "/etc/imapd.conf": "mailboxes that make themselves at the first message",
        "/etc/cyrus.conf": "ManageSieve for the public",
        "/usr/libexec/master": "Cyrus",
    },
    "postfix": {
        "/etc/postfix/main.cf": "who may relay, and what is checked on port 25",
        "/etc/postfix/master.cf": "the listener at which Amavis hands mail back, and who may reach it",
        "/usr/sbin/postconf": "every adjustment of Postfix",
    },
    "amavis": {"/etc/amavisd/amavisd.conf": "what is signed, and what happens to spam"},
    "collabora": {"/etc/coolwsd/coolwsd.xml": "which hosts may have documents opened"},
    "webapp": {
        "/opt/app-root/src/artisan": "migrations, jobs and the seed",
        "/update.sh": "the authorities that the application trusts",
    },
    "roundcube": {},
}
"""Image -> files that its entry script edits or calls -> what would be lost without them."""


@dataclass(frozen=True)
class Misfit:
    """One thing that is not as the entry script needs it."""

    level: Level
    text: str


def wanted(path: str) -> bool:
    """Whether a file's content is looked at."""
    return path.endswith("/init.sh") or any(path in files for files in FILES.values())


def judge(name: str, files: Tree) -> list[Misfit]:
    """What is wrong with an image, worst first; empty when its entry script knows all of it, or when there is none."""
    if name not in FILES:
        return []
    found = [*_missing(name, files)]
    for file, text in entry.scripts(name).items():
        if file != "adjust.sh":
            found += _init(files, text)
    return sorted(dict.fromkeys(found), key=lambda misfit: misfit.level)


def _missing(name: str, files: Tree) -> Iterator[Misfit]:
    for path, effect in FILES[name].items():
        if files.find(path) is None:
            yield Misfit("does not fit", f"{path} is not in it: {effect} cannot be looked after")


def _init(files: Tree, script: str) -> Iterator[Misfit]:
    for path in _RUN.findall(script):
        text = files.text(path)
        if text is None:
            yield Misfit("does not fit", f"{path} is not in it, which its entry script runs")
            continue
        if problem := _syntax(text):
            yield Misfit("does not fit", f"{path} is no script that bash can read: {problem}")
        yield from _hand_over(path, text, script)


def _hand_over(path: str, init: str, script: str) -> Iterator[Misfit]:
    for words in _HAND_OVER.findall(script.replace("\\\n", " ")):
        given = shlex.split(words)
        names = given[: given.index("--")] if "--" in given else given
        if not any(re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/.-])", init) for name in names):
            yield Misfit(
                "does not fit",
                f"{path} starts none of {', '.join(names)}: what is adjusted at that moment would never run",
            )


def _syntax(text: str) -> str:
    """What bash says when it reads a script without running it."""
    done = subprocess.run(
        ["bash", "--norc", "-n"], input=text, text=True, capture_output=True, check=False, timeout=20
    )
    return done.stderr.strip().rpartition("bash: ")[2] if done.returncode else ""
