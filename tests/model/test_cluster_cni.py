"""Cilium and kube-proxy, as far as a stack counts on them."""

from __future__ import annotations

from typing import Any

import pytest

from model.rules.cluster import ClusterFacts, cluster
from model.rules.cluster_cni import CILIUM, cluster_cni, plugins
from model.rules.cluster_network import NetworkFacts
from tests.model.files import settings

NODE = "10.7.0.1"
CRDS = frozenset({CILIUM})


def found(changes: dict[str, Any], crds: frozenset[str] | None = CRDS, **seen: Any) -> list[tuple[str, str]]:
    facts = NetworkFacts(**{"node_addresses": {NODE: "n1"}, "cidr_holds_nodes": False, **seen})
    return [(each.rule, each.path) for each in cluster_cni(settings("cluster", changes), crds, None, facts)]


def cilium(**more: Any) -> dict[str, Any]:
    return {"network/cni": "cilium", **more}


def test_what_could_not_be_read_is_not_judged() -> None:
    assert found({}, crds=None) == found(cilium(), crds=None) == []


def test_cilium_is_named_in_the_stack_file() -> None:
    assert found({}) == [("cni-cilium", "kolab:network.cni")]
    assert found(cilium()) == []
    assert [each.rule for each in cluster(settings("cluster"), ClusterFacts(crds=CRDS))].count(
        "cni-cilium"
    ) == 1


def test_a_cilium_whose_networks_hold_nodes_reads_policies_as_others_do() -> None:
    assert found({}, cidr_holds_nodes=True) == []


def test_a_cluster_without_cilium_does_not_know_its_kinds() -> None:
    assert found(cilium(), crds=frozenset()) == [("cni-cilium", "kolab:network.cni")]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (
            {"external/database": {"host": "db.example.net", "cidr": "10.7.0.0/28", "maxConnections": 1000}},
            "kolab:external.database.cidr",
        ),
        ({"external/redis": {"host": "r.example.net", "cidr": f"{NODE}/32"}}, "kolab:external.redis.cidr"),
        ({"network/internalPeers": {"smtp": [f"{NODE}/32"]}}, "kolab:network.internalPeers.smtp"),
        ({"network/internalPeers": {"web": ["10.0.0.0/8"]}}, "kolab:network.internalPeers.web"),
    ],
)
def test_a_peer_on_a_node_is_out_of_reach_of_a_network(changes: dict[str, Any], path: str) -> None:
    assert found(cilium(**changes)) == [("cni-cilium", path)]
    assert found(cilium(**changes), cidr_holds_nodes=True) == []
    assert found(cilium(**changes), node_addresses={"192.0.2.99": "n1"}) == []
    assert found(changes, crds=frozenset()) == []


@pytest.mark.parametrize(
    ("seen", "refused"),
    [
        ({"ipvs": True, "strict_arp": False}, True),
        ({"ipvs": True, "strict_arp": True}, False),
        ({"ipvs": False, "strict_arp": False}, False),
        ({"ipvs": None, "strict_arp": None}, False),
    ],
)
def test_nodes_answer_for_public_addresses_only_when_metallb_says_so(
    seen: dict[str, Any], refused: bool
) -> None:
    expected = [("strict-arp", "kolab:network.loadBalancer")] if refused else []
    assert found({}, crds=frozenset(), **seen) == expected


@pytest.mark.parametrize(
    ("daemon_sets", "named", "refused"),
    [
        (frozenset({"kube-flannel-ds", "kube-proxy"}), ("flannel",), True),
        (frozenset({"kube-flannel-ds", "calico-node"}), ("Calico", "flannel"), False),
        (frozenset({"rke2-canal"}), ("Canal",), False),
        (frozenset({"svclb-traefik-1"}), (), False),
        (frozenset(), (), False),
    ],
)
def test_a_plugin_that_enforces_no_policy_is_named(
    daemon_sets: frozenset[str], named: tuple[str, ...], refused: bool
) -> None:
    rules = [each.rule for each in cluster_cni(settings("cluster"), None, daemon_sets, NetworkFacts())]
    assert (plugins(daemon_sets), rules) == (named, ["cni-enforces-nothing"] if refused else [])


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ("v1.31.9", True),
        ("v1.32.0", False),
        ("v1.35.4+k3s1", False),
        ("v1.36.0-alpha.1", True),
        ("what", False),
    ],
)
def test_a_release_of_kubernetes_that_was_not_tried_is_said(version: str, warned: bool) -> None:
    found = list(cluster(settings("cluster"), ClusterFacts(version=version)))
    assert [each.rule for each in found] == (["kubernetes-version"] if warned else [])
    assert all(each.severity == "warning" for each in found)
