"""Which images of a stack fit, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from ops.images import check, layers, pin, platforms
from ops.images.check import Misfit
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import StackProblem


def show(
    registries: Registries, images: Sequence[Image], names: Sequence[str], *, tag: bool, platform: str
) -> None:
    """Prints a verdict for each image. Raises StackProblem when one does not fit, or cannot be read."""
    bad = []
    for image in pin.chosen(images, names, again=True):
        if image.name not in check.FILES:
            if names:
                print(f"{image.name}: nothing of it is adjusted")
            continue
        try:
            found = judged(registries, image, tag=tag, platform=platform)
        except StackProblem as problem:
            found = [Misfit("does not fit", str(problem))]
        worst = next((each.level for each in found), None)
        print(f"{image.name}: {_VERDICTS[worst]}")
        for each in found:
            print(f"  {each.text}")
        bad += [image.name] if worst == "does not fit" else []
    if bad:
        raise StackProblem(f"{', '.join(bad)} would not start here: keep the digests that you have")


def judged(registries: Registries, image: Image, *, tag: bool, platform: str) -> list[Misfit]:
    """What is wrong with an image: with its digest, or with what its tag means now."""
    manifest = registries.manifest(image, None if tag else image.digest)
    one = platforms.of(registries, image, manifest, platform)
    return check.judge(image.name, layers.tree(registries, image, one, check.wanted))


_VERDICTS = {None: "fits", "warning": "fits with warnings", "does not fit": "does not fit"}
