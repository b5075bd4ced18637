"""For which machines an image is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ops.images.reference import Image
from ops.images.registry import Manifest, Registries
from ops.stacks import StackProblem


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
    if manifest.is_index:
        found = [_platform(each.get("platform") or {}) for each in manifest.document.get("manifests") or []]
        # Builders keep notes about an image beside it, as one for an unknown platform.
        return sorted({each for each in found if "unknown" not in each})
    return [_platform(configuration(registries, image, manifest))]


def of(registries: Registries, image: Image, manifest: Manifest, platform: str) -> Manifest:
    """The one image of an index for a platform; of a single image, itself. Raises StackProblem when there is none."""
    require(registries, image, manifest, [platform])
    if not manifest.is_index:
        return manifest
    digest = next(
        each["digest"]
        for each in manifest.document["manifests"]
        if _platform(each.get("platform") or {}) == platform
    )
    return registries.manifest(image, digest)


def configuration(registries: Registries, image: Image, manifest: Manifest) -> Any:
    """The configuration of a single image (OCI image specification, config.md)."""
    digest = manifest.document["config"]["digest"]
    return json.loads(b"".join(registries.blob(image, digest)))


def _platform(described: Any) -> str:
    return f"{described.get('os', 'unknown')}/{described.get('architecture', 'unknown')}"
