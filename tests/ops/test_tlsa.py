"""`ops tlsa`: the key of port 25 is announced before it is used, and stays named after it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from model.identity import zone_file, zones
from model.keys import tlsa_hash
from ops import tlsa
from ops.stacks import StackProblem
from tests.ops.editing import Editor, editor
from tests.support.nameserver import serving


def take(step: str, *servers: str) -> None:
    tlsa.run(argparse.Namespace(step=step, stack="mine", server=list(servers)))


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


def zone(found: Editor) -> dict[str, str]:
    """What a name server holds once the stack file is published."""
    settings = found.read().settings()[0]
    return {name: zone_file(settings, name, records) for name, records in zones(settings).items()}


def test_the_switch_uses_the_announced_key_and_keeps_naming_the_old_one(
    first: Editor, tmp_path: Path
) -> None:
    take("next")
    old, new = first.secrets["mxKey"], first.secrets["mxNextKey"]
    with serving(tmp_path, zone(first)) as server:
        take("switch", server.given)
    assert (first.secrets["mxKey"], first.secrets["mxNextKey"]) == (new, old)
    assert first.values["tlsa"] == {"current": tlsa_hash(new), "next": tlsa_hash(old)}
    assert named(first) == {"current": "mxKey", "next": "mxNextKey"}


def test_the_switch_is_refused_while_a_name_server_does_not_show_the_announced_key(
    first: Editor, tmp_path: Path
) -> None:
    before = zone(first)
    take("next")
    writes = first.writes
    with (
        serving(tmp_path, before) as server,
        pytest.raises(StackProblem, match=r"shows 1 other record\(s\) at _25\._tcp\.mx\.example\.org"),
    ):
        take("switch", server.given)
    assert first.writes == writes


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
