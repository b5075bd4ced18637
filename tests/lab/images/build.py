"""From recipes to image tars in the user's cache, each under the hash of what it was made from."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab import programs
from tests.lab.images import base, layer, oci, trees
from tests.lab.images.contract import Image, image, images
from tests.lab.images.places import RECIPES, hash_of, home
from tests.lab.progress import Clock, Say

BASE = "00-base"
"""Sorts before every image: a node that imports a folder in order has the base first."""
BASE_NAME = "registry.lab/base:1"
CODE = [Path(__file__).parent / name for name in ("oci.py", "layer.py", "build.py")]


def base_folder() -> Path:
    """Folder of the base: its image tar, its layer's digests, and its files as the builds and checks use them."""
    return home() / hash_of([Path(base.__file__)])


def image_folder(made: Image) -> Path:
    """Folder of an image's tar."""
    recipes = [_files(folder) for folder in _recipes(made)]
    recipe = *recipes, _files(RECIPES / "common"), CODE, [Path(base.__file__)]
    built = [str(programs.program(name).parents[1].name) for name in made.programs]
    built += [trees.folder(made.tree).name] if made.tree else []
    return home() / hash_of([path for part in recipe for path in part], repr(made), *built)


def below(made: Image) -> Path:
    """The files on which an image's own layer lies."""
    return trees.tree(made.tree) if made.tree else base_folder() / "rootfs"


def tars(names: Sequence[str] = (), say: Say | None = None) -> list[Path]:
    """Tars of the named images (all without names), built when they are missing; the base comes first."""
    say = say or Clock().say
    with _alone():
        found = [_base(say) / f"{BASE}.tar"]
        for name in names or images():
            made = image(name)
            folder = image_folder(made)
            if not folder.is_dir():
                if made.programs:
                    programs.build(say, name)
                say(f"building image {name}")
                with _new(folder) as scratch:
                    _build(made, scratch)
            found.append(folder / f"{name}.tar")
    return found


def clean() -> list[Path]:
    """Remove what no current recipe makes; returns what went."""
    kept = {base_folder().name, *(image_folder(made).name for made in images().values())}
    kept |= {trees.folder(release).name for release in trees.SUITES}
    with _alone():
        old = [
            folder
            for folder in home().iterdir()
            if folder.is_dir() and _ours(folder) and folder.name not in kept
        ]
        for folder in old:
            shutil.rmtree(folder)
    return old


def _ours(folder: Path) -> bool:
    return (folder / "lab-image").is_file()


def _base(say: Say) -> Path:
    folder = base_folder()
    if folder.is_dir():
        return folder
    say("building the base of all images from Debian packages (two minutes, once)")
    with _new(folder) as scratch:
        base.build(scratch / "rootfs", scratch / "mmdebstrap.log")
        blob = scratch / "layer"
        made = oci.pack_folder(scratch / "rootfs", blob)
        oci.write_image(scratch / f"{BASE}.tar", [BASE_NAME], [made], {made.digest: blob}, {})
        blob.unlink()
        (scratch / "layer.json").write_text(json.dumps(made.__dict__))
    return folder


def _build(made: Image, folder: Path) -> None:
    root, blob = below(made), folder / "layer"
    whole: dict[str, bytes | Path] = {}
    if made.tree:
        # No other image lies on it: its tar brings it along.
        bottom = oci.pack_folder(root, blob)
        whole[bottom.digest] = blob
    else:
        bottom = oci.Layer(**json.loads((base_folder() / "layer.json").read_text()))
    with tempfile.TemporaryDirectory(dir=home(), prefix=".work-") as scratch:
        recipes, own = _recipes(made), Path(scratch) / "programs"
        for name in made.programs:
            (own / "usr/bin").mkdir(parents=True, exist_ok=True)
            shutil.copy(programs.program(name), own / "usr/bin" / name)
        content = layer.make(
            root,
            [
                tree
                for tree in (RECIPES / "common/rootfs", *(recipe / "rootfs" for recipe in recipes), own)
                if tree.is_dir()
            ],
            {"/usr/share/lab/contract": made.rules},
            [script for script in (recipe / "setup.sh" for recipe in recipes) if script.is_file()],
            Path(scratch),
        )
        # What containers lie on that are tried outside of a cluster.
        (Path(scratch) / "upper").rename(folder / "upper")
    top, packed = oci.pack_bytes(content)
    config = {
        "User": made.user,
        "Env": [f"PATH={oci.PATH}", *(f"{key}={value}" for key, value in made.env.items())],
        "Entrypoint": list(made.entrypoint),
        "Cmd": list(made.command),
        "ExposedPorts": {port if "/" in port else f"{port}/tcp": {} for port in made.ports},
        "StopSignal": made.stop_signal,
    }
    contents = whole | {top.digest: packed}
    oci.write_image(folder / f"{made.name}.tar", made.references, [bottom, top], contents, config)
    blob.unlink(missing_ok=True)


def _recipes(made: Image) -> list[Path]:
    """Folders of a recipe, in the order in which they are laid over each other."""
    return [RECIPES / name for name in (made.base, made.name) if name]


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


@contextmanager
def _alone() -> Iterator[None]:
    home().mkdir(parents=True, exist_ok=True)
    with (home() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """A folder that appears under its name only when it is complete."""
    scratch = Path(tempfile.mkdtemp(dir=home(), prefix=".new-"))
    scratch.chmod(0o755)
    try:
        yield scratch
        (scratch / "lab-image").touch()
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
