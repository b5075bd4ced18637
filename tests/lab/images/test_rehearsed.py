"""`./kolab images check` runs the lab's images in a room on this machine, with their real daemons, and knows each mutant."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from model import images
from ops.images import rehearsing
from ops.images.documents import Configuration, read
from ops.images.given import Rehearsals
from ops.images.verdicts import Verdict
from tests.lab.images.build import tars
from tests.lab.images.contract import B
from tests.support.images import Mutant, difference
from tests.support.mutants import MUTANTS
from tests.support.stacks import stack

pytestmark = pytest.mark.acceptance

GENERATIONS = {"a": "", "b": B}
KINDS = [(name, generation) for name in images.REHEARSED for generation in GENERATIONS]
EACH = [(name, mutant) for name, found in MUTANTS.items() for mutant in found]


@cache
def rehearsals() -> Rehearsals:
    return Rehearsals(stack("single-node"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layers")


def blob(tar: Path, name: str) -> bytes:
    with tarfile.open(tar) as opened:
        found = opened.extractfile(name)
        assert found is not None
        return found.read()


def layers(name: str, folder: Path) -> tuple[list[Path], Configuration]:
    """The layers of a lab image as plain tars, and its configuration."""
    base, tar = tars([name])[0], tars([name])[-1]

    def at(described: Any) -> str:
        return f"blobs/sha256/{described['digest'].removeprefix('sha256:')}"

    manifest = json.loads(blob(tar, at(json.loads(blob(tar, "index.json"))["manifests"][0])))
    found = []
    for described in manifest["layers"]:
        plain = folder / f"{described['digest'][-12:]}.tar"
        if not plain.exists():
            # The base lies in a tar of its own.
            packed = blob(base if described == manifest["layers"][0] else tar, at(described))
            plain.write_bytes(gzip.decompress(packed))
        found.append(plain)
    return found, read(Configuration, blob(tar, at(manifest["config"])), "the lab's", "build it")


def verdict(name: str, mutant: Mutant, folder: Path) -> Verdict:
    found, configuration = layers(name + GENERATIONS[mutant.generation], folder)
    top = folder / "changed.tar"
    with tarfile.open(top, "w") as made:
        for path, text in difference(name, mutant).items():
            at, _, last = path.lstrip("/").rpartition("/")
            entry = tarfile.TarInfo(path.lstrip("/") if text is not None else f"{at}/.wh.{last}")
            content = (text or "").encode()
            entry.size, entry.mode = len(content), 0o755
            made.addfile(entry, io.BytesIO(content))
    return Verdict(rehearsing.judge([*found, top], configuration, rehearsals().of(name)))


@pytest.mark.parametrize(("name", "generation"), KINDS)
def test_an_image_of_either_generation_fits(name: str, generation: str, folder: Path) -> None:
    found = verdict(name, Mutant("as it is", {}, generation=generation), folder)
    assert (found.word, found.lines) == ("fits", [])


@pytest.mark.parametrize(("name", "mutant"), EACH, ids=str)
def test_what_an_entry_script_refuses_does_not_fit_and_what_it_makes_right_does(
    name: str, mutant: Mutant, folder: Path
) -> None:
    found = verdict(name, mutant, folder)
    if mutant.refused is None:
        assert found.word != "does not fit", found.lines
    else:
        assert found.word == "does not fit"
        assert re.search(mutant.refused, found.lines[0])
