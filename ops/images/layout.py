"""Images in a folder, as the OCI image layout has them (image specification 1.1, image-layout.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.images.documents import Bundle, Index, SingleImage, read
from ops.images.reference import Image
from ops.images.registry import Manifest, Registries
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
        complaint, hint = f"{self.folder} holds no images", "make the bundle anew"
        try:
            content = (self.folder / "index.json").read_bytes()
        except OSError as error:
            raise StackProblem(f"{complaint} ({error.strerror}): {hint}") from None
        return {
            each.annotations.name: each.digest for each in read(Bundle, content, complaint, hint).manifests
        }

    def missing(self, digest: str) -> Iterator[str]:
        """Digests of which an image consists and that are not there, or are something else."""
        if not self._has(digest):
            yield digest
            return
        content = self._path(digest).read_bytes()
        try:
            document = _read(content)
        except StackProblem:
            yield digest
            return
        for each in document.parts:
            if isinstance(document, Index):
                yield from self.missing(each.digest)
            elif not self._has(each.digest):
                yield each.digest

    def _bring(self, registries: Registries, image: Image, manifest: Manifest) -> None:
        for each in manifest.document.parts:
            if manifest.is_index:
                self._bring(registries, image, registries.manifest(image, each.digest))
            elif not self._has(each.digest):
                self._write(each.digest, registries.blob(image, each.digest))
        self._write(manifest.digest, [manifest.content])

    def _write(self, digest: str, parts: Iterable[bytes]) -> None:
        path = self._path(digest)
        with written(path):
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


@contextmanager
def written(path: Path) -> Iterator[None]:
    """What goes wrong with files below `path` is a StackProblem that names which."""
    try:
        yield
    except BrokenPipeError:
        # Not a file: whoever reads what we print has seen enough (ops/frame.py).
        raise
    except OSError as error:
        at = error.filename2 or error.filename or path
        raise StackProblem(
            f"{at}: {error.strerror or error}: make room or way, or name another folder, and call again"
        ) from None


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(content: bytes) -> SingleImage | Index:
    """A manifest without the media type that its registry gave it. Raises StackProblem."""
    try:
        return read(Index, content, "", "")
    except StackProblem:
        return read(SingleImage, content, "", "")


def _described(manifest: Manifest) -> dict[str, Any]:
    return {"mediaType": manifest.kind, "digest": manifest.digest, "size": len(manifest.content)}
