"""`ops tlsa`: the key of port 25 is announced before it is used, and stays named after it."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from model.keys import tlsa_hash
from ops import tlsa
from ops.stacks import StackProblem
from tests.ops.editing import Editor, editor


def take(step: str) -> None:
    tlsa.run(argparse.Namespace(step=step, stack="mine"))


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Editor:
    """A stack with its first key."""
    found = editor(monkeypatch, tlsa=None)
    take("init")
    return found


def named(found: Editor) -> dict[str, Any]:
    """Name in the file -> secret whose key it is the hash of."""
    hashes = {tlsa_hash(private): key for key, private in found.secrets.items()}
    return {key: hashes[value] for key, value in found.values["tlsa"].items()}


def test_the_first_key_is_named(first: Editor) -> None:
    assert named(first) == {"current": "mxKey"}


def test_the_next_key_is_announced_beside_the_current_one(
    first: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    take("next")
    assert named(first) == {"current": "mxKey", "next": "mxNextKey"}
    assert "not sooner than 2:00:00" in capsys.readouterr().out


def test_the_switch_uses_the_announced_key_and_keeps_naming_the_old_one(first: Editor) -> None:
    take("next")
    old, new = first.secrets["mxKey"], first.secrets["mxNextKey"]
    take("switch")
    assert (first.secrets["mxKey"], first.secrets["mxNextKey"]) == (new, old)
    assert first.values["tlsa"] == {"current": tlsa_hash(new), "next": tlsa_hash(old)}
    assert named(first) == {"current": "mxKey", "next": "mxNextKey"}


@pytest.mark.parametrize(
    ("changes", "step", "said"),
    [
        ({}, "init", "there is a key already"),
        ({"tlsa": None, "dns__dnssec": False}, "init", "sign the zone first"),
        ({"tlsa": None}, "next", "./kolab tlsa init"),
        ({"tlsa": {"current": "a" * 64}}, "switch", "no next key is announced"),
    ],
)
def test_a_step_out_of_order_is_refused_and_nothing_is_written(
    changes: dict[str, Any], step: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = editor(monkeypatch, **changes)
    with pytest.raises(StackProblem, match=said):
        take(step)
    assert found.writes == 0
