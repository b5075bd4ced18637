"""Ports of nodes that somebody else holds, where the stack's pods open theirs on the node."""

from __future__ import annotations

from typing import Any

import pytest

from model.rules.cluster import ClusterFacts, cluster
from model.rules.cluster_ports import HeldPort
from tests.model.files import settings

ON_PORTS = {"network/loadBalancer": "hostPort"}
ANYWHERE = {**ON_PORTS, "network/egress": {"mode": "gateway", "addresses": ["192.0.2.10"]}}
NODES: dict[str, dict[str, str]] = {"server1": {}, "other": {}}


def held(number: int, holder: str = "web/nginx", protocol: str = "TCP", node: str = "server1") -> HeldPort:
    return HeldPort(node=node, number=number, protocol=protocol, holder=holder)


def found(changes: dict[str, Any], *ports: HeldPort, nodes: Any = NODES) -> list[tuple[str, str]]:
    facts = ClusterFacts(nodes=nodes, held_ports=ports)
    stack = settings("single-node", changes)
    return [(each.severity, f"{each.problem}; {each.fix}") for each in cluster(stack, facts)]


def test_ports_that_somebody_holds_are_refused_once_for_each_holder() -> None:
    svclb = "kube-system/svclb-traefik-9"
    k3s, nginx = found(ON_PORTS, held(80, svclb), held(443, svclb), held(993), held(9100, "m/node"))
    assert k3s[0] == nginx[0] == "error"
    assert (
        f"{svclb} of k3s' ServiceLB holds port 80, 443 of server1; start k3s with --disable servicelb"
        in k3s[1]
    )
    assert "web/nginx holds port 993 of server1; remove it from there" in nginx[1]  # fmt: skip


@pytest.mark.parametrize(
    "port",
    [
        held(443, protocol="UDP"),
        held(443, protocol="SCTP"),
        held(3478, node="other"),
        held(8443),
        held(53, protocol="UDP"),
    ],
    ids=str,
)
def test_other_protocols_other_nodes_and_other_numbers_harm_nobody(port: HeldPort) -> None:
    assert found(ON_PORTS, port) == []


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_a_port_that_is_opened_for_both_protocols_is_held_by_either(protocol: str) -> None:
    assert [severity for severity, _ in found(ON_PORTS, held(3478, protocol=protocol))] == ["error"]


def test_with_metallb_ports_of_nodes_are_nobodys_business() -> None:
    assert found({}, held(443)) == []


def test_where_the_node_is_not_named_one_that_is_free_can_be() -> None:
    ((severity, text),) = found(ANYWHERE, held(443))
    assert severity == "warning"
    assert "holds port 443 of server1" in text
    assert text.endswith("name a node without it in network.edgeNode")
    assert [each for each, _ in found(ANYWHERE, held(443), held(443, node="other"))] == ["error"]
    assert found({**ANYWHERE, "network/edgeNode": "other"}, held(443)) == []
    assert found(ANYWHERE, held(443), nodes=None) == []
