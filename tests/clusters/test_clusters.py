"""Clusters as they come: each gets the right sentences, and no false one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.observe import observe
from components.observe_where import Where
from model.rules.cluster import cluster
from model.settings import Settings
from ops.__main__ import main
from tests.clusters.recorded import NAMES, answers, read
from tests.support.api_server import api_server
from tests.support.stacks import changed, raw


@pytest.fixture(params=NAMES)
def recorded(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """A recorded cluster that answers."""
    found = read(request.param)
    with api_server(answers(found["seen"]), tmp_path, monkeypatch, context="prod"):
        yield found


def page(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["cluster", "check", "--json", *arguments])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(made.get(key), dict)
            made[key] = merged(made[key], value) if both else copy.deepcopy(value)
    return made


def findings(settings: Settings) -> list[str]:
    where = Where.of(
        settings.model_copy(update={"kubernetes": settings.kubernetes.model_copy(update={"context": None})})
    )
    unread: list[str] = []
    found = sorted({each.rule for each in cluster(settings, observe(where, unread.append))})
    assert unread == []
    return found


def test_the_page_says_what_is_missing_and_what_has_to_be_said(
    recorded: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = page(capsys)
    attention = {row["about"]: row["verdict"] for row in answer["rows"] if row["verdict"] != "fits"}
    assert attention == recorded["attention"]
    assert answer["stackFile"] == recorded["says"]
    assert answer["unread"] == []
    assert code == (1 if "missing" in attention.values() else 0)


def stack(recorded: dict[str, Any], *says: dict[str, Any]) -> Settings:
    """The shipped stack with what its operator writes: his volumes' class, and what the page has said."""
    base = raw(recorded.get("base", "cluster"))
    classed = [name for name, volume in base.get("storage", {}).items() if "storageClass" in (volume or {})]
    own = next(iter(recorded["seen"]["storageClasses"]))
    volumes = {"storage": {name: {"storageClass": own} for name in classed}}
    return changed(recorded.get("base", "cluster"), merged(volumes, recorded["stack"], *says))


def test_a_stack_file_that_says_it_is_right_about_the_cluster(recorded: dict[str, Any]) -> None:
    assert findings(stack(recorded, recorded["says"])) == recorded["findings"]


def test_one_that_does_not_is_told_what_is_wrong_about_it(recorded: dict[str, Any]) -> None:
    assert findings(stack(recorded)) == recorded["untold"]


def test_people_read_a_table_and_what_to_write(
    recorded: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["cluster", "check"])
    shown = capsys.readouterr().out
    assert recorded["seen"]["version"] in shown
    assert max(map(len, shown.splitlines())) < 400
    for section in recorded["says"]:
        assert f"kolab:{section}:" in shown


GATEWAYS = {
    "kubeadm-envoy-gateway": {
        "Gateway": "network.gateway: {name: public, namespace: gateways, listeners: [https], ...}",
        "Gateway class": "network.gateway, if a Gateway of it",
    },
    "talos-cilium": {"Gateway class": "network.gateway needs backendtlspolicies of Gateway API 1.4"},
}
"""Recorded cluster -> what its page says of each kind of object of the Gateway API, at least in the beginning."""


@pytest.mark.parametrize("name", GATEWAYS)
def test_the_page_says_what_a_gateway_is_good_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with api_server(answers(read(name)["seen"]), tmp_path, monkeypatch, context="prod"):
        _, answer = page(capsys)
    said = {row["about"]: row["then"] for row in answer["rows"] if row["about"].startswith("Gateway")}
    assert said.keys() == GATEWAYS[name].keys()
    assert all(said[about].startswith(begins) for about, begins in GATEWAYS[name].items())
