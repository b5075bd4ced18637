"""Every secret has a test that exchanges it on the lab while mail flows, one that refuses to, or a reason why neither can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security import rotations
from tests.security.rotations import HOW, NOT_ON_THE_LAB

pytestmark = pytest.mark.security

_PAGE = Path(__file__).with_name("rotations.md")
_EXCHANGED = [key for key, how in HOW.items() if how.kind != "never"]


@pytest.mark.parametrize("key", _EXCHANGED)
def test_a_secret_that_is_exchanged_is_so_on_the_lab_or_elsewhere_for_a_reason(key: str) -> None:
    on_the_lab = any(proof.on_the_lab for proof in rotations.of(key))
    assert on_the_lab != (key in NOT_ON_THE_LAB), f"no test of the lab is marked rotates({key!r})"
    assert rotations.of(key)


@pytest.mark.parametrize("key", [key for key, how in HOW.items() if how.kind == "never"])
def test_a_secret_that_is_never_exchanged_is_refused_by_a_test(key: str) -> None:
    assert [proof.test for proof in rotations.of(key) if "refused" in proof.test]


def test_marks_name_secrets_that_there_are() -> None:
    named = {key for proof in rotations.proofs() for key in proof.keys}
    assert named == set(HOW)


def test_the_page_is_made_of_them(golden: bool) -> None:
    if golden:
        _PAGE.write_text(rotations.page(), "utf-8")
    assert _PAGE.read_text("utf-8") == rotations.page()
