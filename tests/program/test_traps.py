"""docs/reference/traps.md: every trap has a row, and every row points to what is there."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from ops.stacks import ROOT

PAGE = ROOT / "docs/reference/traps.md"
NOT_OURS = "*Not ours*"


@dataclass(frozen=True)
class Row:
    """One trap."""

    number: str
    problem: str
    answer: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| ") and cells[0] not in ("#", "---"):
            number, problem, answer, tests = cells
            found.append(Row(number, problem, answer, tuple(re.findall(r"`(\w+)`", tests))))
    return found


def known() -> set[str]:
    """Names of all tests of the project."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {
        name for file in files for name in re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE)
    }


def test_every_trap_has_a_row() -> None:
    numbers = [row.number for row in rows()]
    expected = [*map(str, range(1, 43)), *(f"P{n}" for n in range(1, 28)), *(f"I{n}" for n in range(1, 29))]
    assert numbers == expected


def test_every_test_that_the_page_names_exists() -> None:
    named = {test for row in rows() for test in row.tests}
    assert named <= known(), sorted(named - known())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.number)
def test_a_trap_is_kept_shut_by_a_test_or_says_why_not(row: Row) -> None:
    assert row.tests or NOT_OURS in row.answer


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.number)
def test_a_trap_names_files_that_exist(row: Row) -> None:
    files = re.findall(r"`([a-z]+/[\w/]+\.py)`", row.answer)
    assert files or NOT_OURS in row.answer
    for file in files:
        assert (ROOT / file).is_file(), file
