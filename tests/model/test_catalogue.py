"""Every rule is declared once, and every finding is made from its declaration."""

from __future__ import annotations

import ast
import re

import pytest

from model.catalogue import AREAS, RULES, known_ids, may_be_acknowledged
from model.findings import Rule
from ops.stacks import ROOT
from tests.model.found import CALLS, SOURCES, placeholders

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "stacks").rglob("*.yaml")]


def test_a_finding_is_made_from_a_declared_rule_only() -> None:
    makers = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"
    ]
    assert makers == ["model/findings.py"]


@pytest.mark.parametrize(
    ("rule", "given"), [call[1:3] for call in CALLS], ids=[f"{p.stem}-{line}" for p, _, _, line in CALLS]
)
def test_a_finding_is_given_what_its_words_need(rule: Rule, given: set[str]) -> None:
    assert given == placeholders(rule), rule.id


def test_every_declared_rule_is_found_by_something() -> None:
    found = {id(rule) for _, rule, _, _ in CALLS}
    assert [rule.id for area in AREAS for rule in area.rules if id(rule) not in found] == []


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_has_one_reason_wherever_it_speaks(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len({rule.why for rule in RULES[name]}) == 1
    assert RULES[name][0].why.endswith(".")
    for rule in RULES[name]:
        assert not rule.problem.endswith(".")
        assert not rule.fix.endswith(".")


def test_no_id_stands_in_two_areas() -> None:
    homes = [{rule.id for rule in area.rules} for area in AREAS]
    assert sum(map(len, homes)) == len(known_ids())


def test_what_documents_acknowledge_exists_and_can_be_lifted() -> None:
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in PAGES
        for name in re.findall(r"\brule: ([a-z0-9-]+)", path.read_text())
    }
    assert named
    assert {(page, name) for page, name in named if not may_be_acknowledged(name)} == set()


@pytest.mark.parametrize(
    ("name", "lifted"),
    [
        ("address-private", True),
        ("mx-lost", True),
        ("data-delete", True),
        ("mta-sts-untrusted", True),
        ("egress-missing", False),
        ("no-such-rule", False),
    ],
)
def test_an_acknowledgement_lifts_warnings_refused_changes_and_deletions(name: str, lifted: bool) -> None:
    assert may_be_acknowledged(name) is lifted
