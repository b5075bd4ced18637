"""The lab's images as files: what an image's init writes, and what becomes of an image that somebody has changed.

A mutant is an image of generation A or B in which one thing is different, as an image of tomorrow might have it. Each is
either right in effect in the end, or refused with a sentence before its daemon starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.lab.images.contract import B, image
from tests.support.sandbox import Sandbox

RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
GENERATIONS = ("a", "b")
REFUSED = "refused"
"""Tried on the lab, too: the update is refused, and nothing that runs has stopped."""
Change = Callable[[str], str]


def swap(old: str, new: str) -> Change:
    """Every `old` becomes `new`; there has to be one."""

    def change(text: str) -> str:
        assert old in text, f"nothing in the image is {old!r}"
        return text.replace(old, new)

    return change


def swap_like(pattern: str, new: str) -> Change:
    """Every match of a regular expression becomes `new`; there has to be one."""

    def change(text: str) -> str:
        changed, times = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert times, f"nothing in the image is like {pattern!r}"
        return changed

    return change


def added(*lines: str) -> Change:
    """Lines at the end."""
    return lambda text: text + "".join(f"{line}\n" for line in lines)


def without(line: str) -> Change:
    """Every line that is `line`, whatever blanks stand before it, is gone; there has to be one."""
    return swap_like(rf"^[ \t]*{re.escape(line)}\n", "")


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(text: str) -> str:
        for each in changes:
            text = each(text)
        return text

    return change


@dataclass(frozen=True)
class Mutant:
    """What differs, by file; and the sentence with which it is refused (an expression), or None where it is right in effect.

    `lab` says that the lab tries it, too, in an update of a stack that serves: REFUSED, or a name of tests/acceptance/effects.py,
    which asks the stack for what it endangers.
    """

    name: str
    changes: Mapping[str, Change]
    refused: str | None = None
    generation: str = "b"
    renamed: Mapping[str, str] = field(default_factory=dict)
    lab: str = ""

    def __str__(self) -> str:
        return self.name


def files(name: str, generation: str) -> dict[str, str]:
    """Files of an image by their paths inside; those of generation B are laid over A's."""
    found: dict[str, str] = {}
    for folder in [name, *([name + B] if generation == "b" else [])]:
        root = RECIPES / folder / "rootfs"
        found |= {f"/{file.relative_to(root)}": file.read_text() for file in root.rglob("*") if _text(file)}
    return found


def changed_files(name: str, mutant: Mutant) -> dict[str, str]:
    """Files of an image that somebody has changed."""
    found = files(name, mutant.generation)
    for path, change in mutant.changes.items():
        found[path] = change(found[path])
    for old, new in mutant.renamed.items():
        found[new] = found.pop(old)
    return found


def difference(name: str, mutant: Mutant) -> dict[str, str | None]:
    """The files in which a mutant differs; None for those that it has no more."""
    before, after = files(name, mutant.generation), changed_files(name, mutant)
    return {path: after.get(path) for path in before | after if before.get(path) != after.get(path)}


def _text(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


def environment(name: str, generation: str) -> dict[str, str]:
    """What the image sets itself."""
    return dict(image(name + B if generation == "b" else name).env)


def put(sandbox: Sandbox, name: str, generation: str, mutant: Mutant | None = None) -> None:
    """Puts the image's files into a sandbox, and the commands that its init calls beside its daemon."""
    found = changed_files(name, replace(mutant, generation=generation)) if mutant else files(name, generation)
    for path, text in found.items():
        sandbox.put(path, text, mode=0o755 if text.startswith("#!") else 0o644)
    for command in ("contract-check", "chown"):
        sandbox.command(command)


def passwords(sandbox: Sandbox) -> None:
    """saslauthd as far as a rehearsal sees it: a socket."""
    sandbox.path("/run/saslauthd").mkdir(exist_ok=True)
    bind = 'socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, pack_sockaddr_un("mux")) or die $!'
    sandbox.command(
        "/usr/sbin/saslauthd", f"cd /run/saslauthd && /usr/bin/perl -MSocket -e '{bind}'\n/bin/sleep 60"
    )
    # What waits for it does not wait long; what looks for a renewed certificate does.
    sandbox.command("sleep", '[ "$1" = 30 ] || set -- 0.01\nexec /bin/sleep "$1"')
