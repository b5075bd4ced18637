"""Newer versions of what others publish. Kolab has one tag only, so of its images the digest of the tag is compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from model import images
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import StackProblem

_NUMBERS = re.compile(r"\d+")


def shape(tag: str) -> str:
    """A tag with each number as 0: only tags of the same shape are versions of the same thing."""
    return _NUMBERS.sub("0", tag)


def version(tag: str) -> tuple[int, ...]:
    """The numbers of a tag, in order."""
    return tuple(map(int, _NUMBERS.findall(tag)))


def newest(tag: str, others: Iterable[str]) -> str:
    """The newest of `others` that has the shape of `tag`; `tag` itself when there is none."""
    alike = [other for other in others if shape(other) == shape(tag)]
    return max([tag, *alike], key=version)


def rows(registries: Registries, found: Sequence[Image]) -> list[tuple[str, str, str]]:
    """(image, what the stack has, what there is) for each; a registry that does not answer is said in its row."""
    made = []
    for image in found:
        try:
            made.append(_row(registries, image))
        except StackProblem as problem:
            made.append((image.name, image.tag, str(problem)))
    return made


def _row(registries: Registries, image: Image) -> tuple[str, str, str]:
    if image.name in images.OTHERS:
        latest = newest(image.tag, registries.tags(image))
        return image.name, image.tag, "is the newest" if latest == image.tag else f"{latest} is there"
    digest = registries.manifest(image).digest
    if image.digest is None:
        return image.name, image.tag, f"no digest yet; the tag is {_short(digest)} now"
    same = digest == image.digest
    return (
        image.name,
        _short(image.digest),
        "is what the tag is" if same else f"the tag is {_short(digest)} now",
    )


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
