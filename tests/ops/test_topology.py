"""`./kolab topology`: every address, every daemon and every way between them, and what is not ready."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from model.topology import Daemon, connections, public_addresses
from ops.__main__ import main
from tests.ops.cluster_of import FakeCluster, stand_in
from tests.support.stacks import stack

_STACK = "cluster"


def _workload(name: str, replicas: int) -> dict[str, object]:
    labels = {"app.kubernetes.io/name": name}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": replicas},
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """Where nothing of the web application is ready."""
    return stand_in(monkeypatch, {"get pods": json.dumps({"items": [_workload("webapp", 2)]})}, _STACK)


def test_mermaid_has_every_address_and_every_way(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["topology", "--stack", "x"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("flowchart LR\n")
    settings = stack(_STACK)
    assert all(address in said for found in public_addresses(settings).values() for address in found)
    ways = {
        f"  {e.client.name} --> {e.server.name}\n"
        for e in connections(settings)
        if isinstance(e.server, Daemon)
    }
    assert ways
    assert all(way in said for way in ways)
    assert "\n  class webapp changed\n" in said
    assert [call[0] for call in cluster.calls] == ["get"]


def test_svg_draws_each_daemon_once_and_what_is_not_ready_thick(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["topology", "--stack", "x", "--format", "svg"]) == 0
    assert cluster.calls
    root = ET.fromstring(capsys.readouterr().out)  # noqa: S314 (our own)
    space = "{http://www.w3.org/2000/svg}"
    boxes = dict(zip((t.text for t in root.iter(f"{space}text") if t.get("font-size") == "13"), root.iter(f"{space}rect"), strict=True))  # fmt: skip
    pairs = [(e.client, e.server) for e in connections(stack(_STACK)) if isinstance(e.server, Daemon)]
    names = {each.name for pair in pairs for each in pair}
    assert names <= boxes.keys()
    assert {name for name, box in boxes.items() if box.get("stroke-width") == "3"} == {"webapp"}


def test_as_planned_it_asks_no_cluster_and_marks_nothing(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["topology", "--stack", "x", "--planned"]) == 0
    assert "class " not in capsys.readouterr().out
    assert cluster.calls == []
