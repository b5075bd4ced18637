"""Which images of a stack fit, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.settings import Settings
from ops.images import archives, check, layers, pin, platforms, rehearsing
from ops.images.check import Misfit
from ops.images.given import Rehearsals
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.room.outside import NoRoom, is_here
from ops.stacks import StackProblem


@dataclass(frozen=True)
class Verdict:
    """What is known of an image."""

    misfits: Sequence[Misfit]
    unheard: str = ""
    """Why it could not speak for itself, so that only its files were looked at."""

    @property
    def word(self) -> str:
        """All of it in a word."""
        levels = {each.level for each in self.misfits}
        if "does not fit" in levels:
            return "does not fit"
        return "fits with warnings" if levels else "fits"

    @property
    def lines(self) -> list[str]:
        """What an operator has to know, worst first."""
        ordered = sorted(self.misfits, key=lambda misfit: misfit.level)
        about = [f"only its files were looked at: {self.unheard}"] if self.unheard else []
        return [*(each.text for each in ordered), *about]


def show(
    registries: Registries,
    settings: Settings,
    images: Sequence[Image],
    names: Sequence[str],
    *,
    tag: bool,
    platform: str,
    files_only: bool = False,
) -> None:
    """Prints a verdict for each image. Raises StackProblem when one does not fit, or cannot be read."""
    bad, rehearsals = [], Rehearsals(settings)
    for image in pin.chosen(images, names, again=True):
        if image.name not in check.NEEDS:
            if names:
                print(f"{image.name}: nothing of it is adjusted")
            continue
        try:
            found = judged(registries, image, rehearsals, tag=tag, platform=platform, files_only=files_only)
        except StackProblem as problem:
            found = Verdict([Misfit("does not fit", str(problem))])
        print(f"{image.name}: {found.word}")
        for line in found.lines:
            print(f"  {line}")
        bad += [image.name] if found.word == "does not fit" else []
    if bad:
        raise StackProblem(f"{', '.join(bad)} would not start here: keep the digests that you have")


def judged(
    registries: Registries,
    image: Image,
    rehearsals: Rehearsals,
    *,
    tag: bool,
    platform: str,
    files_only: bool = False,
    shown: Sequence[str] = (),
) -> Verdict:
    """What is wrong with an image: with its digest, or with what its tag means now.

    `files_only`: nothing of it is run. `shown`: folders of this machine that it sees, for tests.
    """
    manifest = registries.manifest(image, None if tag else image.digest)
    one = platforms.of(registries, image, manifest, platform)
    configuration = platforms.configuration(registries, image, one)
    with archives.of(registries, image, one) as found:
        try:
            if files_only:
                raise NoRoom("so it was asked for")
            if not is_here(platform):
                raise NoRoom(f"this machine does not run {platform}")
            return Verdict(rehearsing.judge(found, configuration, rehearsals.of(image.name), shown))
        except NoRoom as reason:
            with layers.tree(image, found) as files:
                return Verdict(check.judge(image.name, files), str(reason))
