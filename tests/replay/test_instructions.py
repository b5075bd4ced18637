"""Every instruction is followed: the commands of each page, in its order, with what they print and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.program import CHECKOUT
from tests.replay.machine import Machine
from tests.replay.steps import Step, parse

pytestmark = pytest.mark.engine


def steps(page: str) -> list[Step]:
    """The steps of a page of docs/how-to."""
    return parse((CHECKOUT / "docs" / "how-to" / f"{page}.md").read_text())


def test_a_state_backend_is_chosen(tmp_path: Path) -> None:
    Machine.make(tmp_path / "machine").play(steps("choose-a-state-backend"))
