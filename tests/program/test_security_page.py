"""docs/security.md: every threat has a control whose test exists, or says why it is accepted."""

from __future__ import annotations

import re

import pytest

from ops.stacks import ROOT

PAGE = (ROOT / "docs/security.md").read_text()
_ACCEPTED = "*Accepted:*"


def rows() -> list[tuple[str, ...]]:
    """Threat, control and tests, of every table but the last."""
    threats, _, _ = PAGE.partition("## What is accepted")
    lines = [line for line in threats.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in lines]
    return [each for each in cells if each[0] != "threat"]


def known() -> set[str]:
    """Names of all tests."""
    files = (ROOT / "tests").rglob("*.py")
    return {
        name for file in files for name in re.findall(r"^ *def (test_\w+)\(", file.read_text(), re.MULTILINE)
    }


def test_the_page_is_about_the_edge_pods_tenants_the_operator_and_ci() -> None:
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    for word in ("edge", "pod", "Tenants", "operator", "CI", "accepted"):
        assert any(word in heading for heading in headings), word


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:60])
def test_a_threat_is_met_by_a_test_or_accepted_for_a_reason(row: tuple[str, ...]) -> None:
    _, control, tests = row
    assert (_ACCEPTED in control) != bool(re.findall(r"`test_\w+`", tests))
    assert len(control.replace(_ACCEPTED, "")) > 20


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 20
    assert named <= known(), sorted(named - known())


def test_every_file_that_the_page_names_exists() -> None:
    for file in re.findall(r"`([a-z]+/[\w/]+\.(?:py|yaml))`", PAGE):
        assert (ROOT / file).is_file(), file


def test_traffic_between_nodes_etcd_and_backups_are_spoken_of() -> None:
    _, _, accepted = PAGE.partition("## What is accepted")
    for word in ("between nodes", "WireGuard", "etcd", "backups"):
        assert word.lower() in accepted.lower(), word
