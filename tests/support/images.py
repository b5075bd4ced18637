"""The lab's images as files: what an image's init writes, and what becomes of an image that somebody has changed.

A mutant is an image of generation A or B in which one thing is different, as an image of tomorrow might have it. Each is
either right in effect in the end, or refused with a sentence before its daemon starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.images.contract import B, image
from tests.support.sandbox import Sandbox

RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
GENERATIONS = ("a", "b")
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


@dataclass(frozen=True)
class Mutant:
    """What differs, by file; and the sentence with which it is refused, or None where it is right in effect."""

    name: str
    changes: Mapping[str, Change]
    refused: str | None = None
    generation: str = "b"
    env: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def files(name: str, generation: str) -> dict[str, str]:
    """Files of an image by their paths inside; those of generation B are laid over A's."""
    found: dict[str, str] = {}
    for folder in [name, *([name + B] if generation == "b" else [])]:
        root = RECIPES / folder / "rootfs"
        found |= {f"/{file.relative_to(root)}": file.read_text() for file in root.rglob("*") if _text(file)}
    return found


def _text(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


def environment(name: str, generation: str) -> dict[str, str]:
    """What the image sets itself."""
    return dict(image(name + B if generation == "b" else name).env)


def put(sandbox: Sandbox, name: str, generation: str, mutant: Mutant | None = None) -> None:
    """Puts the image's files into a sandbox, and the commands that its init calls beside its daemon."""
    found = files(name, generation)
    for path, change in (mutant.changes if mutant else {}).items():
        found[path] = change(found[path])
    for old, new in (mutant.renamed if mutant else {}).items():
        found[new] = found.pop(old)
    for path, text in found.items():
        sandbox.put(path, text, mode=0o755 if text.startswith("#!") else 0o644)
    for command in ("contract-check", "chown"):
        sandbox.command(command)
