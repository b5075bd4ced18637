"""For which machines an image is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ops.images.documents import INDEXES, Configuration, SingleImage, read
from ops.images.reference import Image
from ops.images.registry import Manifest, Registries
from ops.stacks import StackProblem

_DEEP = 4
"""Indexes within indexes, more of which nobody makes."""


def require(registries: Registries, image: Image, manifest: Manifest, wanted: Sequence[str]) -> None:
    """Raises StackProblem unless the image runs on each of the platforms, such as linux/amd64."""
    there = platforms(registries, image, manifest)
    if missing := [each for each in wanted if each not in there]:
        raise StackProblem(
            f"{image.asked}: there is none for {', '.join(missing)}, only for {', '.join(there) or 'nothing that is known'}:"
            " name the platforms of your nodes with --platform"
        )


def platforms(registries: Registries, image: Image, manifest: Manifest) -> list[str]:
    """Platforms of an image, as os/architecture."""
    found = {platform for platform, _ in _every(registries, image, manifest)}
    # Builders keep notes about an image beside it, as one for an unknown platform.
    return sorted(each for each in found if "unknown" not in each or not manifest.is_index)


def of(registries: Registries, image: Image, manifest: Manifest, platform: str) -> Manifest:
    """The one image of an index for a platform; of a single image, itself. Raises StackProblem when there is none."""
    require(registries, image, manifest, [platform])
    every = _every(registries, image, manifest)
    found = next(each for name, each in every if name == platform)
    return registries.manifest(image, found) if isinstance(found, str) else found


def _every(
    registries: Registries, image: Image, manifest: Manifest, deep: int = 1
) -> Iterator[tuple[str, str | Manifest]]:
    """Platform of each image, and its manifest or what that is called; an index may list another one, and an image without
    its platform (image-index.md, "manifests")."""
    if isinstance(manifest.document, SingleImage):
        yield str(configuration(registries, image, manifest)), manifest
        return
    for each in manifest.document.manifests:
        if each.kind not in INDEXES and each.platform:
            yield str(each.platform), each.digest
        elif deep == _DEEP:
            raise StackProblem(
                f"{image.asked}: its lists of images go deeper than {_DEEP}: push the image anew"
            )
        else:
            yield from _every(registries, image, registries.manifest(image, each.digest), deep + 1)


def configuration(registries: Registries, image: Image, manifest: Manifest) -> Configuration:
    """The configuration of a single image (OCI image specification, config.md)."""
    content = b"".join(registries.blob(image, manifest.document.parts[0].digest))
    complaint = f"{image.asked}: its configuration cannot be read"
    return read(Configuration, content, complaint, "push the image anew")
