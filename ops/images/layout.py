"""Images in a folder, as the OCI image layout has them (image specification 1.1, image-layout.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.images.reference import Image
from ops.images.registry import INDEXES, Manifest, Registries
from ops.stacks import StackProblem

NAME = "org.opencontainers.image.ref.name"
_CONTAINERD = "io.containerd.image.name"
"""Under what name `ctr images import` keeps it (containerd: core/images/archive)."""
_MANY = "application/vnd.oci.image.index.v1+json"
_PART = 1 << 20


@dataclass(frozen=True)
class Layout:
    """The folder. What is there already and whole is not fetched again."""

    folder: Path

    def fetch(self, registries: Registries, image: Image, name: str) -> dict[str, Any]:
        """Brings an image with all that it consists of, each platform of an index: a registry takes it only whole.

        Returns the descriptor that `write_index` wants. `name` is what pods call the image. Raises StackProblem.
        """
        top = registries.manifest(image, image.digest)
        self._bring(registries, image, top)
        names = {NAME: image.name, _CONTAINERD: name}
        return _described(top) | {"annotations": names}

    def write_index(self, images: Iterable[dict[str, Any]]) -> None:
        """Says which images there are. Last: what it names is there."""
        document = {"schemaVersion": 2, "mediaType": _MANY, "manifests": list(images)}
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}\n')
        (self.folder / "index.json").write_text(json.dumps(document, indent=2) + "\n")

    def images(self) -> dict[str, str]:
        """What is in it: name -> digest. Raises StackProblem when it is no layout."""
        try:
            document = json.loads((self.folder / "index.json").read_text())
            return {each["annotations"][NAME]: each["digest"] for each in document["manifests"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise StackProblem(f"{self.folder} holds no images: make the bundle anew") from None

    def missing(self, digest: str) -> Iterator[str]:
        """Digests of which an image consists and that are not there, or are something else."""
        if not self._has(digest):
            yield digest
            return
        try:
            document = json.loads(self._path(digest).read_bytes())
        except ValueError:
            yield digest
            return
        for each in _parts(document):
            if each.get("mediaType") in INDEXES or "manifests" in document:
                yield from self.missing(each["digest"])
            elif not self._has(each["digest"]):
                yield each["digest"]

    def _bring(self, registries: Registries, image: Image, manifest: Manifest) -> None:
        for each in _parts(manifest.document):
            if manifest.is_index:
                self._bring(registries, image, registries.manifest(image, each["digest"]))
            elif not self._has(each["digest"]):
                self._write(each["digest"], registries.blob(image, each["digest"]))
        self._write(manifest.digest, [manifest.content])

    def _write(self, digest: str, parts: Iterable[bytes]) -> None:
        path = self._path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        begun = path.with_name(f"{path.name}.part")
        with begun.open("wb") as file:
            file.writelines(parts)
        begun.rename(path)

    def _has(self, digest: str) -> bool:
        path = self._path(digest)
        return path.is_file() and f"sha256:{sha256(path)}" == digest

    def _path(self, digest: str) -> Path:
        kind, _, value = digest.partition(":")
        if kind != "sha256" or len(value) != 64 or not value.isalnum():
            raise StackProblem(
                f"an image names {digest!r}, which is no SHA-256: it cannot be checked, and was left out"
            )
        return self.folder / "blobs" / kind / value


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parts(document: Any) -> list[Any]:
    if "manifests" in document:
        return list(document["manifests"])
    return [document["config"], *document.get("layers", [])]


def _described(manifest: Manifest) -> dict[str, Any]:
    return {"mediaType": manifest.kind, "digest": manifest.digest, "size": len(manifest.content)}
