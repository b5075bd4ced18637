"""NetworkPolicies: nobody may talk, but for the connections of the topology."""

from __future__ import annotations

from typing import Any

import pytest

from model import topology
from tests.support.deploy import deploy
from tests.support.stacks import changed, deployment, stack

Rule = dict[str, Any]


def egress(name: str, daemon: str) -> list[Rule]:
    found: list[Rule] = deployment(name).get("NetworkPolicy", daemon)["spec"]["egress"]
    return found


def ports(rule: Rule) -> set[tuple[str, int]]:
    return {(each["protocol"], each["port"]) for each in rule["ports"]}


def networks(rule: Rule) -> set[str]:
    return {peer["ipBlock"]["cidr"] for peer in rule.get("to", ()) if "ipBlock" in peer}


@pytest.mark.parametrize("name", ["single-node", "cluster", "bare"])
def test_nothing_is_allowed_that_no_policy_names(name: str) -> None:
    defaults = [
        each for each in deployment(name).of_kind("NetworkPolicy") if each["metadata"]["name"] == "default"
    ]
    assert {each["metadata"]["namespace"] for each in defaults} == deployment(name).names("Namespace")
    for each in defaults:
        assert each["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_mail_leaves_from_postfix_alone() -> None:
    allowed = {
        workload.daemon
        for workload in deployment("cluster").workloads
        for rule in egress("cluster", workload.daemon)
        if ("TCP", 25) in ports(rule)
    }
    assert allowed == {"postfix"}


def test_with_a_smarthost_mail_leaves_through_it_alone() -> None:
    (rule,) = (rule for rule in egress("host-port", "postfix") if ("TCP", 587) in ports(rule))
    assert networks(rule) == {"0.0.0.0/0", "2000::/3"}
    assert not any(("TCP", 25) in ports(rule) for rule in egress("host-port", "postfix"))


def test_spam_rules_and_virus_signatures_can_be_fetched() -> None:
    assert any(
        ports(rule) == {("TCP", 80), ("TCP", 443)} and networks(rule) == {"0.0.0.0/0", "2000::/3"}
        for rule in egress("cluster", "postfix")
    )


def test_an_external_engine_is_reached_at_its_own_network_only() -> None:
    (rule,) = (rule for rule in egress("external", "postfix") if ("TCP", 3306) in ports(rule))
    assert networks(rule) == {"198.51.100.32/32"}


def test_meet_reaches_the_website_at_the_address_and_port_of_the_world() -> None:
    # Some networks judge the connection while it still has them.
    (rule,) = (
        rule for rule in egress("cluster", "meet") if networks(rule) and ("UDP", 53) not in ports(rule)
    )
    assert (networks(rule), ports(rule)) == ({"10.20.0.10/32", "192.0.2.10/32"}, {("TCP", 443)})


def test_behind_an_ingress_meet_reaches_the_website_at_the_controller() -> None:
    (rule,) = (rule for rule in egress("full", "meet") if networks(rule) and ("UDP", 53) not in ports(rule))
    # A controller on its nodes' own network is of no namespace to a policy.
    assert (networks(rule), ports(rule)) == ({"192.0.2.20/32", "10.42.7.0/24"}, {("TCP", 443), ("TCP", 8443)})
    assert {"kubernetes.io/metadata.name": "ingress-nginx"} in [
        peer["namespaceSelector"]["matchLabels"] for peer in rule["to"] if "namespaceSelector" in peer
    ]
    assert deployment("full").workload("meet").pod["hostAliases"] == [
        {"ip": "192.0.2.20", "hostnames": ["example.org"]}
    ]


@pytest.mark.parametrize("name", ["external", "full"])
def test_the_message_that_comes_back_goes_to_the_proxys_mail_ports_as_the_worlds_does(name: str) -> None:
    """Also behind an Ingress controller, which answers for websites alone."""
    world, proxy, *names = egress(name, "round-trip")
    assert (networks(world), ports(world)) == (
        {"10.20.0.10/32", "192.0.2.10/32"},
        {("TCP", 993), ("TCP", 465)},
    )
    assert ports(proxy) == {("TCP", 6993), ("TCP", 6465)}
    assert {number for rule in names for _, number in ports(rule)} == {53}


def test_who_reads_reports_reaches_imap_at_the_proxy_and_nothing_else() -> None:
    world, proxy, *names = egress("full", "report-reader")
    assert (networks(world), ports(world)) == ({"10.20.0.10/32", "192.0.2.10/32"}, {("TCP", 993)})
    assert ports(proxy) == {("TCP", 6993)}
    assert {number for rule in names for _, number in ports(rule)} == {53}


def test_the_relay_reaches_nothing_but_meet() -> None:
    for rule in egress("cluster", "coturn"):
        assert {number for _, number in ports(rule)} <= {44444, 44445}
        assert networks(rule) <= {"10.20.0.14/32", "192.0.2.14/32"}


def test_an_ingress_controller_may_speak_to_the_proxy() -> None:
    assert "namespace ingress-nginx" in deployment("full").clients("proxy", 6443)
    assert "anyone" not in deployment("full").clients("proxy", 6443)


def test_a_controller_on_its_nodes_own_network_may_speak_to_the_proxy() -> None:
    policy = deployment("full").get("NetworkPolicy", "proxy")
    blocks = {
        peer["ipBlock"]["cidr"]: {port["port"] for port in rule["ports"]}
        for rule in policy["spec"]["ingress"]
        for peer in rule.get("from", ())
        if "ipBlock" in peer
    }
    assert blocks == {"10.42.7.0/24": {6443}}


def test_the_clusters_prometheus_reads_numbers_and_nobody_else_in_its_namespace_does() -> None:
    found = {}
    for policy in deployment("external").of_kind("NetworkPolicy"):
        for rule in policy["spec"].get("ingress") or ():
            for peer in rule.get("from", ()):
                if "monitoring" in str(peer.get("namespaceSelector")):
                    found[policy["metadata"]["name"]] = (peer["podSelector"], ports(rule))
    theirs = {
        "matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["prometheus"]}]
    }
    assert found == {
        "webapp": (theirs, {("TCP", 8000)}),
        "imap": (theirs, {("TCP", 11080)}),
        "postfix": (theirs, {("TCP", 9154)}),
        "victorialogs": (theirs, {("TCP", 9428)}),
        "vector": (theirs, {("TCP", 9598)}),
        "blackbox": (theirs, {("TCP", 9115)}),
        "round-trip": (theirs, {("TCP", 9025)}),
        "report-reader": (theirs, {("TCP", 9026)}),
    }


def test_the_world_may_speak_to_public_ports_only() -> None:
    public = {port.daemon.name for port in topology.public_ports(stack("cluster"))}
    for workload in deployment("cluster").workloads:
        policy = deployment("cluster").get("NetworkPolicy", workload.daemon)
        for rule in policy["spec"]["ingress"]:
            if "from" not in rule:
                assert workload.daemon in public


def test_the_log_collector_is_reached_across_the_namespaces() -> None:
    for daemon, peer in (("vector", "prometheus"), ("victorialogs", "vector")):
        policy = deployment("cluster").get("NetworkPolicy", daemon)
        (found,) = (
            each
            for rule in policy["spec"]["ingress"]
            for each in rule.get("from", ())
            if each["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == peer
        )
        assert "namespaceSelector" in found


@pytest.mark.thorough
@pytest.mark.security
@pytest.mark.parametrize(
    ("networks", "expected"),
    [(None, [None]), (["198.51.100.0/24"], [["198.51.100.0/24"]]), ([], [])],
    ids=["open", "for some", "closed"],
)
def test_manage_sieve_is_open_to_whom_its_door_lets_in(
    networks: list[str] | None, expected: list[list[str] | None]
) -> None:
    settings = changed("cluster", {"network": {"doors": {"sieve": networks}}} if networks is not None else {})
    (policy,) = [p for p in deploy(settings).of_kind("NetworkPolicy") if p["metadata"]["name"] == "imap"]
    found = [
        [peer["ipBlock"]["cidr"] for peer in rule["from"]] if rule.get("from") else None
        for rule in policy["spec"]["ingress"]
        if {"port": 4191, "protocol": "TCP"}
        in [{k: p.get(k) for k in ("port", "protocol")} for p in rule["ports"]]
        and not any("podSelector" in peer for peer in rule.get("from") or ())
    ]
    assert found == expected
