"""A stack that stays on the lab while tests are written: `python -m tests.acceptance keep MODE`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.stack import Stack, clear_pools
from tests.engine.program import CHECKOUT, Program
from tests.lab.cluster import Lab
from tests.lab.images import tars
from tests.lab.paths import LAB

_FOLDER = CHECKOUT / ".local" / "acceptance" / LAB


def path() -> Path | None:
    """The kept stack's program, if there is one and the lab is up."""
    found = next(iter(_FOLDER.glob("*")), None)
    return found if found and Lab.running() else None


def stack(lab: Lab) -> Stack:
    """The kept stack."""
    found = path()
    assert found, "no stack is kept"
    return Stack(lab, Program(found, found.name))


def keep(mode: str) -> None:
    """Deploy a stack and leave it there; whatever was kept before is removed."""
    made = prepare(Lab(images=tars()).up(), mode)
    print(f"{mode} is up after {made.deploy():.0f} s in {made.program.root}")


def prepare(lab: Lab, mode: str) -> Stack:
    """A stack that will be kept, not yet deployed; whatever was kept before is removed."""
    remove(lab)
    return Stack.make(lab, _FOLDER / mode, mode)


def remove(lab: Lab) -> None:
    """Remove the kept stack, and what the lab itself has set up for load balancers."""
    if not isinstance(lab, Lab):
        pytest.skip("a stack is kept, or broken on purpose, on the lab only")
    if path():
        stack(lab).remove()
    else:
        clear_pools(lab)
    shutil.rmtree(_FOLDER, ignore_errors=True)


def drop() -> None:
    """Remove lab and stack."""
    Lab().down()
    shutil.rmtree(_FOLDER, ignore_errors=True)
