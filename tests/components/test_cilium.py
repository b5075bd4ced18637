"""What Cilium is told besides, since it takes no node for an address."""

from __future__ import annotations

from typing import Any

import pytest

from model.topology import node_connections
from tests.support.deploy import deploy
from tests.support.stacks import changed, deployment, stack

CILIUM = {"network": {"cni": "cilium"}}


def told(
    name: str, changes: dict[str, Any] | None = None
) -> dict[tuple[str, str], set[tuple[str, str, str, int]]]:
    """(namespace, daemon) -> its rules: direction, entity, protocol, port."""
    found = {}
    for policy in deploy(changed(name, {**CILIUM, **(changes or {})})).of_kind("CiliumNetworkPolicy"):
        spec, place = policy["spec"], policy["metadata"]
        assert spec["endpointSelector"]["matchLabels"]["app.kubernetes.io/name"] == place["name"]
        found[place["namespace"], place["name"]] = {
            (direction, entity, port["protocol"], int(port["port"]))
            for direction, way in (("ingress", "fromEntities"), ("egress", "toEntities"))
            for rule in spec.get(direction, ())
            for entity in rule[way]
            for to in rule["toPorts"]
            for port in to["ports"]
        }
    return found


@pytest.mark.parametrize(
    "name", ["single-node", "cluster", "full", "external", "bare", "host-port", "gateway"]
)
def test_other_plugins_get_no_kind_that_they_do_not_know(name: str) -> None:
    assert deployment(name).of_kind("CiliumNetworkPolicy") == []


@pytest.mark.thorough
def test_the_log_collector_alone_reaches_the_api_server_on_its_ports() -> None:
    found = told("cluster", {"kubernetes": {"api": {"ports": [6443, 16443]}}})
    api = {place: {each for each in rules if each[1] == "kube-apiserver"} for place, rules in found.items()}
    assert {place: rules for place, rules in api.items() if rules} == {
        ("kolab-logs", "vector"): {("egress", "kube-apiserver", "TCP", port) for port in (6443, 16443)}
    }


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "entities"),
    [
        ("full", ("host", "remote-node")),
        # A Gateway of Cilium's own is neither a pod nor a node.
        ("gateway", ("host", "remote-node", "ingress")),
    ],
)
def test_a_controller_on_its_nodes_own_network_reaches_the_proxy_and_no_other(
    name: str, entities: tuple[str, ...]
) -> None:
    inwards = {place: rules for place, rules in told(name).items() if any(r[0] == "ingress" for r in rules)}
    assert {name for _, name in inwards} == {"proxy"}
    assert {each for each in inwards["kolab", "proxy"] if each[0] == "ingress"} == {
        ("ingress", entity, "TCP", 6443) for entity in entities
    }


@pytest.mark.parametrize("name", ["single-node", "cluster", "full"])
def test_names_are_asked_of_the_cache_on_ones_own_node_by_whoever_asks_for_names(name: str) -> None:
    asking = {each.daemon for each in node_connections(stack(name)) if {p.number for p in each.ports} == {53}}
    assert {daemon.name for daemon in asking} >= {"postfix", "proxy", "webapp"}
    assert not {"redis", "mariadb", "coturn"} & {daemon.name for daemon in asking}


def test_where_no_cache_is_asked_no_node_is_opened_for_it() -> None:
    given = changed("cluster", {"network": {"dns": {"addresses": []}}})
    assert not [each for each in node_connections(given) if {p.number for p in each.ports} == {53}]


@pytest.mark.thorough
def test_a_direction_without_rules_is_left_out_since_an_empty_one_would_close_it() -> None:
    for policy in deploy(changed("full", CILIUM)).of_kind("CiliumNetworkPolicy"):
        for direction in ("ingress", "egress"):
            assert policy["spec"].get(direction) != []
