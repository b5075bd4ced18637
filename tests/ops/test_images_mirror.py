"""A bundle for a closed network has all that an installation asks for, and says so only when that is true."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import socket
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model import images
from ops import images as command
from ops.__main__ import parser
from ops.images import mirror
from ops.images.credentials import Login
from ops.images.registry import Registries
from ops.secrets import known
from ops.stacks import StackProblem
from tests.ops.editing import Editor
from tests.ops.test_images import editor
from tests.support.registry import PASSWORD, USER, Store, layer, serving
from toolchain import obtain

# Each renders a stack, and pip looks at what it would install.
pytestmark = pytest.mark.thorough

PIP = mirror._pip
TWO = ("linux/amd64", "linux/arm64")


@dataclass
class World:
    """A registry with a login, a package index, and Pulumi's releases; a stack that is pinned; a folder for the bundle."""

    store: Store
    stack: Editor
    folder: Path
    patch: pytest.MonkeyPatch

    def mirror(self, *more: str) -> None:
        self.patch.setattr(command, "StackFile", self.stack)
        command.run(parser().parse_args(["images", "mirror", str(self.folder), *more, "--stack", "mine"]))

    def with_pip(self) -> None:
        """pip itself, which takes seconds, in place of what passes for it."""
        self.patch.setattr(mirror, "_pip", PIP)

    def close(self) -> None:
        """From now on, whoever asks anybody fails."""

        def refuse(*_: Any, **__: Any) -> Any:
            raise AssertionError("something outside was asked")

        self.patch.setattr(socket, "getaddrinfo", refuse)
        self.patch.setattr(socket.socket, "connect", refuse)
        self.patch.setattr(obtain, "fetch", refuse)
        self.patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/")

    @property
    def digests(self) -> dict[str, str]:
        found: dict[str, str] = self.stack.values["images"]["digests"]
        return found

    def blob(self, digest: str) -> Path:
        return self.folder / "images/blobs/sha256" / digest.removeprefix("sha256:")


def wheel(folder: Path) -> str:
    """A package of one line; returns its locked requirement."""
    folder.mkdir()
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        about = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", about)
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return f"tiny==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def quick(action: str, *options: str, alone: bool = False) -> None:
    """Downloads one package, and installs whatever there is."""
    if action == "download":
        folder = Path(options[options.index("--dest") + 1])
        folder.mkdir(exist_ok=True)
        (folder / "tiny-1.0-py3-none-any.whl").write_text("tiny")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    store = Store(auth="bearer")
    with serving(store) as host:
        stack = editor(host)
        stack.values["images"]["mirror"] = host
        digests = stack.values["images"]["digests"]
        for name in images.used(known(stack.read())[0]):
            at = f"kolab/{name}" if name in images.KOLAB else images.OTHERS[name].rpartition(":")[0]
            made = {
                each: store.add(at, each[-5:], each, layer({"common": "same"}), layer({name: each}))
                for each in TWO
            }
            digests[name] = store.add_index(at, "latest", made)
        real = Registries(find_login=lambda *_: Login(USER, PASSWORD), sleep=lambda _: None)
        monkeypatch.setattr("ops.images.registry.Registries", lambda *_, **__: real)
        (tmp_path / "locked").write_text(wheel(tmp_path / "index"))
        monkeypatch.setattr(mirror, "_LOCKED", ("--require-hashes", "-r", str(tmp_path / "locked")))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
        monkeypatch.setattr(mirror, "_pip", quick)
        sums = "".join(f"{hashlib.sha256(b'archive').hexdigest()}  {name}\n" for name in obtain.archives())
        monkeypatch.setattr(
            obtain, "fetch", lambda url, _: sums.encode() if url.endswith("checksums.txt") else b"archive"
        )
        yield World(store, stack, tmp_path / "bundle", monkeypatch)


def refused(world: World, *more: str) -> str:
    with pytest.raises(StackProblem) as problem:
        world.mirror(*more)
    return str(problem.value)


def test_the_bundle_has_whatever_pods_packages_and_the_engine_are_made_of(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.with_pip()
    world.mirror()
    assert f"{len(world.digests)} images, 1 packages, Pulumi and its plugin: nothing else is asked for" in (
        capsys.readouterr().err
    )
    index = json.loads((world.folder / "images/index.json").read_text())
    assert {each["digest"] for each in index["manifests"]} == set(world.digests.values())
    assert json.loads((world.folder / "images/oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    # Layers that images share are there once, those of all platforms are there.
    blobs = {*world.store.blobs, *(name for _, name in world.store.manifests if ":" in name)}
    stored = {f"sha256:{path.name}" for path in (world.folder / "images/blobs/sha256").iterdir()}
    assert stored == blobs
    listed = dict(line.split() for line in (world.folder / "images.txt").read_text().splitlines())
    assert listed["imap"].endswith(f"/kolab/imap@{world.digests['imap']}")
    assert [*(world.folder / "manifests").rglob("*deployment*proxy.yaml")]


def test_on_the_other_side_the_proof_asks_nobody(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.mirror()
    world.stack.values["images"] |= {"registry": "registry.internal/kolab", "mirror": "registry.internal"}
    world.close()
    world.mirror("--prove")
    assert "nothing else is asked for" in capsys.readouterr().err


def test_a_second_run_fetches_no_layer_again(world: World) -> None:
    world.mirror()
    world.store.asked.clear()
    world.mirror()
    assert not [path for path, _ in world.store.asked if "/blobs/" in path]


def test_what_broke_off_is_taken_up_and_a_damaged_layer_fetched_anew(world: World) -> None:
    world.mirror()
    digest = next(iter(world.store.blobs))
    world.blob(digest).write_bytes(b"half")
    assert f"{world.blob(digest).relative_to(world.folder)} is not what it was" in refused(world, "--prove")
    world.mirror()
    world.mirror("--prove")


def _lose(path: str) -> Callable[[World], None]:
    def lose(world: World) -> None:
        (found,) = world.folder.glob(path)
        found.unlink()
        # Whoever takes something out may mend the list as well.
        sums = world.folder / "SHA256SUMS"
        kept = [
            line
            for line in sums.read_text().splitlines()
            if not line.endswith(str(found.relative_to(world.folder)))
        ]
        sums.write_text("".join(f"{line}\n" for line in kept))

    return lose


def _lose_layer(world: World) -> None:
    digest = next(each for each in world.store.blobs if world.blob(each).exists())
    _lose(str(world.blob(digest).relative_to(world.folder)))(world)


def _lose_index(world: World) -> None:
    (world.folder / "images/index.json").write_text("{}")


def _another_image(world: World) -> None:
    world.digests["imap"] = f"sha256:{'1' * 64}"


LOSSES: list[tuple[Callable[[World], None], str]] = [
    (_lose_layer, r"@sha256:\w+ lacks sha256:\w+"),
    (_lose("plugins/pulumi-v*"), r"plugins/pulumi-v\S+ is not in it"),
    (_lose("plugins/pulumi-resource-*"), r"plugins/pulumi-resource-kubernetes-\S+ is not in it"),
    (_another_image, r"kolab/imap@sha256:1+, which a pod of this stack names, is not in it"),
    (
        lambda world: (world.folder / "SHA256SUMS").unlink(),
        r"SHA256SUMS is not there: the bundle was not finished",
    ),
    (lambda world: (world.folder / "wheels/more").touch(), r"wheels/more was put into it later"),
    (
        _lose_index,
        r"holds no images \(manifests: Field required\): make the bundle anew",
    ),
]


@pytest.mark.parametrize(("lose", "words"), LOSSES)
def test_the_proof_names_what_would_be_missed(
    world: World, lose: Callable[[World], None], words: str
) -> None:
    world.mirror()
    lose(world)
    world.close()
    assert re.search(words, refused(world, "--prove"))


def test_the_proof_takes_packages_from_the_bundle_alone(world: World) -> None:
    world.with_pip()
    world.mirror()
    _lose("wheels/tiny*")(world)
    # This machine has the package, and tells pip where.
    assert re.search(r"pip install: .*tiny", refused(world, "--prove"))


def test_an_image_without_a_digest_is_refused_before_anything_is_fetched(world: World) -> None:
    del world.digests["imap"], world.digests["proxy"]
    assert refused(world).startswith("imap, proxy: no digest in kolab:images.digests")
    assert (world.store.asked, world.folder.exists()) == ([], False)


def test_a_folder_with_other_things_is_left_alone(world: World) -> None:
    world.folder.mkdir()
    (world.folder / "letters").write_text("mine")
    assert "holds other things: name a folder that is empty" in refused(world)
    assert [path.name for path in world.folder.iterdir()] == ["letters"]


def test_a_folder_that_cannot_be_made_is_one_sentence(world: World) -> None:
    world.folder.write_text("a file")
    assert re.fullmatch(rf"{world.folder}\S*: \w[\w ]+: make room or way, [^\n]+", refused(world))


@pytest.mark.parametrize(
    "place", ["images/blobs", "images/blobs/sha256", "manifests", "images/index.json/x", "images.txt/x"]
)
def test_something_else_where_the_bundle_has_to_lie_is_one_sentence(world: World, place: str) -> None:
    path = world.folder / place
    (world.folder / "images").mkdir(parents=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    said = refused(world)
    assert said.startswith(str(world.folder / place.removesuffix("/x")))
    assert said.endswith(": make room or way, or name another folder, and call again")
    assert said.isprintable()


def test_a_disk_that_is_full_is_one_sentence_that_names_the_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "rename", full)
    assert re.fullmatch(
        rf"{world.folder}/images/blobs/sha256/\w+: No space left on device: [^\n]+", refused(world)
    )


def test_an_image_that_the_registry_lacks_leaves_no_bundle_that_counts(world: World) -> None:
    world.digests["imap"] = f"sha256:{'1' * 64}"
    assert "has no such image or tag" in refused(world)
    assert not (world.folder / "SHA256SUMS").exists()


def test_what_is_not_published_here_is_said_and_the_rest_is_kept(world: World) -> None:
    def nothing(*_: Any) -> bytes:
        raise obtain.Unavailable("https://releases.test/pulumi cannot be had: no route")

    real = obtain.fetch
    world.patch.setattr(obtain, "fetch", nothing)
    assert "the bundle lacks Pulumi: https://releases.test/pulumi cannot be had" in refused(world)
    world.patch.setattr(obtain, "fetch", real)
    sums = "".join(f"{hashlib.sha256(b'x').hexdigest()}  {name}\n" for name in obtain.archives())
    world.patch.setattr(obtain, "fetch", lambda url, _: sums.encode() if url.endswith("txt") else b"x")
    world.mirror()


def test_a_password_stands_nowhere_in_the_bundle(world: World) -> None:
    world.mirror()
    for path in world.folder.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()
