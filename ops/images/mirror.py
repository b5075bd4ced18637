"""`images mirror`: a folder with all that an installation asks the world for, to be carried into a network without it.

    images/      every image of the stack, as an OCI layout (ops/images/layout.py)
    images.txt   its name in the layout, and what pods call it, one a line
    manifests/   what the engine applies, as `./kolab render` writes it: secrets are masked
    wheels/      the packages of requirements-dev.txt, which `make up` installs
    plugins/     Pulumi and its kubernetes plugin, as published
    SHA256SUMS   of every file

The proof needs the folder alone: whatever a rendered pod names and whatever pip would install is looked for in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from model import images as model_images
from model.settings import Settings
from ops import recorder, render
from ops.images.layout import Layout, sha256, written
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import ROOT, StackProblem
from toolchain import obtain

_LOCKED = ("--require-hashes", "-r", str(ROOT / "requirements-dev.txt"))
"""What `.venv` is made from (toolchain/venv.py)."""
_SUMS = "SHA256SUMS"
Say = Callable[[str], None]


def write(registries: Registries, settings: Settings, found: Sequence[Image], folder: Path, say: Say) -> None:
    """Fills `folder`, and goes on where an earlier run stopped. Raises StackProblem, and then there is no list of sums."""
    with written(folder):
        _write(registries, settings, found, folder, say)


def _write(
    registries: Registries, settings: Settings, found: Sequence[Image], folder: Path, say: Say
) -> None:
    _refuse(found, folder)
    (folder / _SUMS).unlink(missing_ok=True)
    layout, described = Layout(folder / "images"), []
    for image in found:
        say(f"{image.asked}")
        described.append(layout.fetch(registries, image, _called(settings, image)))
    layout.write_index(described)
    lines = [f"{image.name} {_called(settings, image)}\n" for image in found]
    (folder / "images.txt").write_text("".join(lines))
    render.write_manifests(recorder.objects(render.resources(settings)), folder / "manifests")
    say("packages of Python")
    _pip("download", *_LOCKED, "--dest", str(folder / "wheels"))
    if [*(folder / "wheels").glob("*.tar.gz")]:
        # Published without a wheel, and so built where it is installed.
        _pip("download", "--no-deps", "--dest", str(folder / "wheels"), "setuptools", "wheel")
    say("Pulumi and its plugin")
    try:
        obtain.keep(folder / "plugins", say)
    except obtain.Unavailable as reason:
        raise StackProblem(
            f"the bundle lacks Pulumi: {reason}; everything else is there: call again"
        ) from None
    lines = [f"{sha256(path)}  {path.relative_to(folder)}\n" for path in _files(folder)]
    (folder / _SUMS).write_text("".join(lines))


def prove(settings: Settings, folder: Path) -> str:
    """What has been looked for and found, in one sentence. Raises StackProblem with all that an installation would miss.

    Nothing outside of the folder is asked: it holds on the machine in the closed network as well.
    """
    named = sorted(set(_named(recorder.objects(render.resources(settings)))))
    layout = Layout(folder / "images")
    with written(folder):
        wrong = [*_changed(folder), *_absent(layout, named), *_archives(folder)]
    if not wrong:
        try:
            offline = ("--no-index", "--find-links", str(folder / "wheels"))
            _pip("install", "--dry-run", "--ignore-installed", *offline, *_LOCKED, alone=True)
        except StackProblem as problem:
            wrong.append(str(problem))
    if wrong:
        raise StackProblem(
            "\n  ".join(("the bundle is not whole; make it anew where the world can be reached:", *wrong))
        )
    with written(folder):
        wheels = len([*(folder / "wheels").iterdir()])
    return f"{len(named)} images, {wheels} packages, Pulumi and its plugin: nothing else is asked for"


def _refuse(found: Sequence[Image], folder: Path) -> None:
    if loose := [image.name for image in found if image.digest is None]:
        raise StackProblem(
            f"{', '.join(loose)}: no digest in kolab:images.digests, so nobody could tell whether the bundle has what pods"
            " ask for: ./kolab images pin first"
        )
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "images").is_dir():
        raise StackProblem(f"{folder} holds other things: name a folder that is empty or not there")
    (folder / "images").mkdir(parents=True, exist_ok=True)


def _called(settings: Settings, image: Image) -> str:
    return model_images.reference(settings.images, image.name)


def _named(objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Images that pods name, wherever a template of them stands in an object."""

    def below(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("containers", "initContainers"):
                    yield from (each["image"] for each in inner or ())
                else:
                    yield from below(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from below(inner)

    for each in objects:
        yield from below(each)


def _absent(layout: Layout, named: Sequence[str]) -> Iterator[str]:
    # By digests: in the closed network the names begin with another registry.
    there = set(layout.images().values())
    for name in named:
        digest = name.partition("@")[2]
        if digest not in there:
            yield f"{name}, which a pod of this stack names, is not in it"
        elif lost := [*layout.missing(digest)]:
            yield f"{name} lacks {', '.join(lost)}"


def _changed(folder: Path) -> Iterator[str]:
    try:
        lines = (folder / _SUMS).read_text().splitlines()
    except OSError:
        yield f"{folder / _SUMS} is not there: the bundle was not finished"
        return
    parted = [line.partition("  ") for line in lines]
    listed = {name: wanted for wanted, _, name in parted}
    for name, wanted in listed.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is gone"
        elif sha256(path) != wanted:
            yield f"{name} is not what it was"
    more = {str(path.relative_to(folder)) for path in _files(folder)} - listed.keys()
    yield from (f"{name} was put into it later" for name in sorted(more))


def _archives(folder: Path) -> Iterator[str]:
    try:
        names = obtain.archives()
    except obtain.Unavailable as reason:
        yield str(reason)
        return
    yield from (f"plugins/{name} is not in it" for name in names if not (folder / "plugins" / name).is_file())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _SUMS)


def _pip(action: str, *options: str, alone: bool = False) -> None:
    """Raises StackProblem with pip's last word when it cannot. `alone`: whatever this machine tells pip counts for nothing."""
    command = [sys.executable, "-m", "pip", action, "--quiet", "--disable-pip-version-check", *options]
    told = {key: value for key, value in os.environ.items() if not (alone and key.startswith("PIP_"))}
    variables = told | ({"PIP_CONFIG_FILE": os.devnull} if alone else {})
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    if done.returncode != 0:
        lines = done.stderr.splitlines() or ["it failed"]
        said = [line.strip() for line in lines if line.lstrip().startswith("ERROR")] or lines
        raise StackProblem(f"pip {action}: {said[-1].removeprefix('ERROR: ')}")
