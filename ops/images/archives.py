"""The layers of an image as plain tars in a folder of their own, for whoever looks at them or lays them out."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ops.images.layout import written
from ops.images.reference import Image
from ops.images.registry import Manifest, Registries
from ops.stacks import StackProblem

_PART = 1 << 20


@contextmanager
def of(registries: Registries, image: Image, manifest: Manifest) -> Iterator[list[Path]]:
    """The layers of a single image that hold anything, the lowest one first, as long as the block lasts.

    Raises StackProblem when one cannot be had or read, or when there is no room for them.
    """
    with tempfile.TemporaryDirectory(prefix="kolab-image-") as folder, written(Path(folder)):
        found = []
        for number, layer in enumerate(manifest.document.parts[1:]):
            plain = Path(folder) / f"{number}.tar"
            with tempfile.TemporaryFile(dir=folder) as packed:
                for part in registries.blob(image, layer.digest):
                    packed.write(part)
                packed.seek(0)
                _unpack(image, layer.digest, packed, plain)
            # Builders write one that is empty for a step that changes no file.
            found += [plain] if plain.stat().st_size else []
        yield found


def _unpack(image: Image, digest: str, packed: IO[bytes], plain: Path) -> None:
    with plain.open("wb") as file:
        try:
            with _opened(packed) as opened:
                while part := _read(opened):
                    file.write(part)
        except (EOFError, ValueError):
            raise StackProblem(f"{image.asked}: layer {digest} is no archive that can be read") from None


def _read(opened: IO[bytes]) -> bytes:
    try:
        return opened.read(_PART)
    except (gzip.BadGzipFile, zlib.error):
        raise ValueError("not gzip") from None


@contextmanager
def _opened(stored: IO[bytes]) -> Iterator[IO[bytes]]:
    """The tar of a layer, by what its first bytes say: media types are not always right."""
    magic = stored.read(4)
    stored.seek(0)
    if magic[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=stored) as plain:
            yield plain  # type: ignore[misc]
    elif magic == b"\x28\xb5\x2f\xfd":
        with _zstd(stored) as plain:
            yield plain
    else:
        yield stored


@contextmanager
def _zstd(stored: Any) -> Iterator[IO[bytes]]:
    if shutil.which("zstd") is None:
        raise StackProblem("a layer is packed with zstd: install the program zstd")
    # The program reads the file itself, from where the file and not Python's buffer stands.
    stored.flush()
    os.lseek(stored.fileno(), 0, os.SEEK_SET)
    with subprocess.Popen(
        ["zstd", "-dcq"], stdin=stored, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        if process.stdout is None:
            raise ValueError("no output")
        yield process.stdout
    if process.returncode != 0:
        raise ValueError("not zstd")
