"""Digests of tags, written into the stack file."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from model.settings import Settings
from ops import edits
from ops.images import platforms
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.secrets import known
from ops.stacks import Pulumi, StackFile, StackProblem

_AT = "images.digests"


@dataclass(frozen=True)
class Pinned:
    """An image and the digest of its tag now."""

    image: Image
    digest: str

    @property
    def is_new(self) -> bool:
        """Whether the stack file says something else."""
        return self.image.digest != self.digest


def chosen(images: Sequence[Image], names: Sequence[str], *, again: bool) -> list[Image]:
    """The images to ask about: those named; all with `again`; else those that have no digest."""
    known_names = {image.name for image in images}
    if unknown := [name for name in names if name not in known_names]:
        raise StackProblem(
            f"this stack runs no image {', '.join(unknown)}; it runs {', '.join(sorted(known_names))}"
        )
    if names:
        return [image for image in images if image.name in names]
    return [image for image in images if again or image.digest is None]


def resolve(
    registries: Registries, images: Sequence[Image], wanted: Sequence[str], say: Callable[[str], None]
) -> list[Pinned]:
    """Digests of all `images`. Raises StackProblem with every image that has none, and then none counts."""
    found, problems = [], []
    for image in images:
        try:
            manifest = registries.manifest(image)
            platforms.require(registries, image, manifest, wanted)
        except StackProblem as problem:
            problems.append(str(problem))
            continue
        say(f"{image.asked}: {manifest.digest}")
        found.append(Pinned(image, manifest.digest))
    if problems:
        raise StackProblem("\n  ".join(("nothing was changed:", *problems)))
    return found


def write(stack: StackFile, pulumi: Pulumi, pinned: Sequence[Pinned]) -> list[str]:
    """Stores the digests that are new; returns the names of their images. The rest of the file stays as it is.

    Raises StackFileError or StackProblem, with nothing written, when the stack file would be refused with them.
    """
    changes = {f"{_AT}.{each.image.name}": each.digest for each in pinned if each.is_new}
    if changes:
        _judge(stack, changes)
        edits.write(pulumi, changes)
    return [each.image.name for each in pinned if each.is_new]


def _judge(stack: StackFile, changes: dict[str, str]) -> Settings:
    """What the file says with `changes`; that others are not pinned yet is no fault of this step."""
    values = copy.deepcopy(stack.values)
    for path, value in changes.items():
        edits.apply(values, edits.keys_of(path), value)
    after = StackFile(stack.name, stack.path, values, stack.secret_keys)
    settings, _ = known(after)
    return settings
