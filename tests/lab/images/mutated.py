"""An image with other files than the recipe's: what upstream may publish next."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from tests.lab.images import oci
from tests.lab.images.build import tars
from tests.lab.images.contract import image


def mutated(name: str, files: Mapping[str, str | None], folder: Path) -> tuple[Path, str]:
    """The tar of an image like `name` with other `files`, and its digest, which is its name too.

    path -> text; None for a file that is gone.
    """
    manifest, config = _of(tars([name])[-1])
    top, packed = oci.pack_bytes(_layer(files))
    layers = [
        *(
            oci.Layer(stored["digest"], unpacked, stored["size"])
            for stored, unpacked in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True)
        ),
        top,
    ]
    target = folder / f"{name}-mutated.tar"
    # Known only once it is written, and part of its name.
    oci.write_image(target, ["mutated"], layers, {}, config["config"])
    digest = _index(target)["manifests"][0]["digest"]
    repository = image(name).references[0].rpartition(":")[0]
    oci.write_image(target, [f"{repository}@{digest}"], layers, {top.digest: packed}, config["config"])
    return target, digest


def _layer(files: Mapping[str, str | None]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, text in files.items():
            name, content = PurePosixPath(path.lstrip("/")), (text or "").encode()
            # A whiteout (OCI image specification, layer.md).
            entry = tarfile.TarInfo(str(name if text is not None else name.with_name(f".wh.{name.name}")))
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _index(tar: Path) -> Any:
    return _read(tar, "index.json")


def _of(tar: Path) -> tuple[Any, Any]:
    """Manifest and configuration of the image in a tar."""
    manifest = _blob(tar, _index(tar)["manifests"][0]["digest"])
    return manifest, _blob(tar, manifest["config"]["digest"])


def _blob(tar: Path, digest: str) -> Any:
    return _read(tar, f"blobs/sha256/{digest.removeprefix('sha256:')}")


def _read(tar: Path, name: str) -> Any:
    with tarfile.open(tar) as opened:
        found = opened.extractfile(name)
        assert found is not None
        return json.load(found)
