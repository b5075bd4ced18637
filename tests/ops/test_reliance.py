"""What a step relies on is asked of every name server before it is taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from model.identity import zone_file, zones
from model.settings import Settings
from model.transition import snapshot
from ops import lookup, reliance
from ops.stacks import StackProblem
from tests.identity.stacks import raw, selectors, stack
from tests.support.nameserver import serving

_EGRESS = {**raw()["network"]["egress"]}
_BEFORE: dict[str, Any] = {
    "mail__dkim__selectors": selectors(k="active", n="published"),
    "tlsa": {"current": "a" * 64, "next": "b" * 64},
    "network__announcedEgress": ["198.51.100.3", "2001:db8:1::3", "198.51.100.14"],
}
_STEPS: dict[str, tuple[Mapping[str, Any], Mapping[str, Any], str]] = {
    "a key that signs": (
        {"mail__dkim__selectors": selectors(k="active")},
        {"mail__dkim__selectors": selectors(k="retired", n="active")},
        r"n\._domainkey\.example\.org",
    ),
    "a key of port 25": (
        {"tlsa": {"current": "a" * 64}},
        {"tlsa": {"current": "b" * 64, "next": "a" * 64}},
        r"_25\._tcp\.mx\.example\.org",
    ),
    "a source address": (
        {"network__announcedEgress": []},
        {"network__egress": {"mode": "gateway", "addresses": ["198.51.100.14"]}},
        "receivers would refuse mail from 198.51.100.14",
    ),
}
"""What the zone lacks, the step, and what is said."""


def _shown(changes: Mapping[str, Any]) -> dict[str, str]:
    published = stack(**{**_BEFORE, **changes})
    return {zone: zone_file(published, zone, records) for zone, records in zones(published).items()}


def _step(name: str) -> Settings:
    return stack(**{**_BEFORE, **_STEPS[name][1]})


@pytest.mark.parametrize("name", _STEPS)
def test_a_step_goes_on_where_every_server_shows_what_it_needs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path, _shown({})) as server:
        given = lookup.servers_of("", [server.given])
        monkeypatch.setattr(lookup, "servers_of", lambda *_: given)
        reliance.ask(_step(name), [snapshot(stack(**_BEFORE))])


@pytest.mark.parametrize("name", _STEPS)
def test_a_step_is_refused_where_a_server_does_not_show_what_it_needs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking, _, said = _STEPS[name]
    with serving(tmp_path, _shown(lacking)) as server:
        given = lookup.servers_of("", [server.given])
        monkeypatch.setattr(lookup, "servers_of", lambda *_: given)
        with pytest.raises(StackProblem, match=said):
            reliance.ask(_step(name), [snapshot(stack(**_BEFORE))])


def test_nothing_is_asked_for_what_serves_already_nor_before_the_first_deployment() -> None:
    now = stack(**_BEFORE)
    assert list(reliance.needs(now, [snapshot(now)])) == []
    reliance.ask(now, ())


def test_what_only_one_of_two_possible_models_has_is_asked_for() -> None:
    step = _step("a key that signs")
    found = reliance.needs(step, [snapshot(stack(**_BEFORE)), snapshot(step)])
    assert {need.name for need in found if need.type == "TXT"} >= {"n._domainkey.example.org"}
