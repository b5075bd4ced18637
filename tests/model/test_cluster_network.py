"""What the stack file says of the cluster's network, compared with what the cluster says."""

from __future__ import annotations

from typing import Any

import pytest

from model.rules.cluster_network import NetworkFacts, cluster_network, completed
from model.topology import dns_addresses
from tests.model.files import settings

NET, API = "kolab:network", "kolab:kubernetes.api"
RIGHT: dict[str, Any] = {
    "node_networks": ("10.42.0.0/24", "10.42.1.0/24", "fd00:42::/64"),
    "pods": frozenset({"10.42.0.7", "10.42.1.9"}),
    "service_networks": ("10.43.0.0/16", "fd00:43::/112"),
    "service": "10.43.0.1",
    "api": frozenset({("10.7.0.1", 6443)}),
    "dns_ports": {"coredns-1": frozenset({53})},
    "dns_services": frozenset({"10.43.0.10"}),
    "node_local_dns": True,
}


def findings(changes: dict[str, Any] | None = None, **seen: Any) -> set[tuple[str, str]]:
    found = cluster_network(settings("cluster", changes or {}), NetworkFacts(**{**RIGHT, **seen}))
    return {(each.rule, each.path) for each in found}


def test_a_cluster_as_the_stack_file_says_it_is_has_no_findings() -> None:
    assert findings() == set()


def test_what_could_not_be_read_is_not_judged() -> None:
    assert list(cluster_network(settings("cluster"), NetworkFacts())) == []


@pytest.mark.parametrize(
    ("seen", "finding"),
    [
        ({"pods": frozenset({"10.42.0.7", "10.244.1.9"})}, ("pod-cidr", f"{NET}.podCidr")),
        (
            {"node_networks": ("10.42.0.0/24", "10.244.1.0/24"), "pods": frozenset()},
            ("pod-cidr", f"{NET}.podCidr"),
        ),
        ({"node_networks": ("10.244.1.0/24",), "pods": None}, ("pod-cidr", f"{NET}.podCidr")),
        ({"service_networks": ("10.43.0.0/20",)}, ("service-cidr", f"{NET}.serviceCidr")),
        ({"service": "10.96.0.1", "service_networks": None}, ("service-cidr", f"{NET}.serviceCidr")),
        ({"service": "10.43.128.1", "service_networks": None}, ("service-cidr", f"{NET}.serviceCidr")),
        ({"dns_ports": {}}, ("dns-unknown", f"{NET}.dns.labels")),
        ({"dns_ports": {"coredns-1": frozenset({8053})}}, ("dns-ports", f"{NET}.dns.ports")),
        ({"dns_services": frozenset({"10.43.0.11"})}, ("dns-addresses", f"{NET}.dns.addresses")),
        ({"api": frozenset()}, ("api-unknown", f"{API}.networks")),
    ],
)
def test_a_difference_is_found_at_its_key(seen: dict[str, Any], finding: tuple[str, str]) -> None:
    assert findings(**seen) == {finding}


def test_where_calico_or_cilium_give_addresses_those_of_pods_count_and_not_those_of_nodes() -> None:
    plan: dict[str, Any] = {"node_networks": ("10.244.0.0/24",)}
    assert findings(**plan) == set()
    assert findings({"network/podCidr": "10.244.0.0/16"}, **plan) == {("pod-cidr", f"{NET}.podCidr")}


def test_the_fix_names_a_network_that_holds_all_pods() -> None:
    facts = NetworkFacts(node_networks=("10.244.0.0/24", "10.244.3.0/24"), pods=frozenset({"10.244.3.9"}))
    (found,) = cluster_network(settings("cluster"), facts)
    assert "10.244.3.9/32" in found.problem or "10.244.3.0/24" in found.problem
    assert found.fix.endswith("10.244.3.0/24")


@pytest.mark.parametrize(
    ("pods", "given", "expected"),
    [
        ({"10.244.1.2", "192.168.3.4"}, "10.42.0.0/16", "error"),
        ({"10.244.1.2", "192.168.3.4"}, "10.244.0.0/16", "warning"),
        ({"10.44.1.2", "10.42.3.4"}, "10.42.0.0/16", "warning"),
        ({"11.1.1.2", "11.1.3.4"}, "10.42.0.0/16", "error"),
        ({"172.16.0.2", "172.31.0.2"}, "10.42.0.0/16", None),
        ({"100.64.1.2", "100.127.3.4"}, "10.42.0.0/16", None),
    ],
    ids=[
        "two ranges",
        "one is named",
        "Services between",
        "public ones",
        "one of RFC 1918",
        "one of RFC 6598",
    ],
)
def test_a_network_is_proposed_only_where_pods_alone_may_have_it(
    pods: set[str], given: str, expected: str | None
) -> None:
    """None: a network is proposed."""
    seen = NetworkFacts(pods=frozenset(pods), service="10.43.0.1", service_networks=("10.43.0.0/16",))
    stack = settings("cluster", {"network/podCidr": given})
    (found,) = (each for each in cluster_network(stack, seen) if each.rule == "pod-cidr")
    assert found.severity == (expected or "error")
    assert ("holds" in found.fix) is (expected is None)
    assert "/0" not in str(found)


IPV6: dict[str, Any] = {
    "node_networks": ("fd00:42::/64",),
    "pods": frozenset({"fd00:42::5"}),
    "service": "fd00:43::1",
    "service_networks": ("fd00:43::/112",),
}


@pytest.mark.parametrize("networks", [("fd00:43::/112",), ("fd00:43::/112", "10.43.0.0/16"), None])
def test_a_cluster_whose_services_have_ipv6_first_is_refused(networks: tuple[str, ...] | None) -> None:
    assert findings(**{**IPV6, "service_networks": networks}) == {("ip-family", "kolab:kubernetes")}


@pytest.mark.parametrize(
    ("base", "key", "networks", "refused"),
    [
        ("cluster", "smtp", ("10.43.0.0/16",), True),
        ("cluster", "smtp", ("10.43.0.0/16", "fd00:43::/112"), False),
        ("cluster", "smtp", None, False),
        ("single-node", "all", ("10.43.0.0/16",), True),
    ],
)
def test_an_ipv6_address_needs_services_that_may_have_one(
    base: str, key: str, networks: tuple[str, ...] | None, refused: bool
) -> None:
    stack = settings(base, {f"network/addresses/{key}": ["10.20.0.11", "2001:db8::11"]})
    seen = NetworkFacts(service="10.43.0.1", service_networks=networks)
    found = [(each.rule, each.path) for each in cluster_network(stack, seen)]
    assert found == ([("ip-family", f"{NET}.addresses.{key}")] if refused else [])


def test_pods_that_open_their_ports_themselves_ask_for_no_address_of_a_service() -> None:
    both = {"network/addresses/all": ["192.0.2.10", "2001:db8::11"], "network/loadBalancer": "hostPort"}
    seen = NetworkFacts(service="10.43.0.1", service_networks=("10.43.0.0/16",))
    assert list(cluster_network(settings("single-node", both), seen)) == []


def test_an_address_of_dns_that_no_node_answers_needs_no_entry() -> None:
    assert findings(dns_services=frozenset({"10.43.0.11"}), node_local_dns=False) == set()


def test_api_servers_are_taken_from_the_cluster_unless_the_stack_file_names_them() -> None:
    seen = NetworkFacts(api=frozenset({("10.7.0.1", 16443), ("10.7.0.2", 16443)}))
    api = completed(settings("cluster"), seen).kubernetes.api
    assert ([str(each) for each in api.networks], api.ports) == (["10.7.0.1/32", "10.7.0.2/32"], (16443,))
    given = settings("cluster", {"kubernetes/api": {"networks": "10.7.0.0/24", "ports": [16443]}})
    assert completed(given, seen) is given
    assert completed(settings("cluster"), NetworkFacts()) == settings("cluster")


def test_api_servers_that_the_stack_file_leaves_out_are_found() -> None:
    given = {"kubernetes/api": {"networks": "10.7.0.0/24"}}
    assert findings(given) == set()
    assert findings(given, api=frozenset({("10.8.0.1", 6443)})) == {("api-elsewhere", API)}
    assert findings(given, api=frozenset({("10.7.0.1", 16443)})) == {("api-elsewhere", API)}


def test_without_the_log_collector_nobody_asks_for_api_servers() -> None:
    assert findings({"monitoring": {"enabled": False}}, api=frozenset()) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("10.43.0.10", "169.254.20.10")),
        ({"network/dns": {"addresses": []}}, ()),
        ({"network/dns": {"addresses": "10.43.0.11"}}, ("10.43.0.11",)),
    ],
)
def test_dns_has_the_tenth_address_of_services_unless_the_stack_file_says_otherwise(
    changes: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert dns_addresses(settings("cluster", changes)) == expected


# Addresses for MetalLB that a node has already.

ONE = {
    "network/addresses": {"all": "11.0.0.1"},
    "network/egress": {"mode": "nodes", "nodes": {"n1": ["11.0.0.1"]}},
}


def judged(base: str, changes: dict[str, Any], nodes: dict[str, str]) -> list[tuple[str, str, str]]:
    found = cluster_network(settings(base, changes), NetworkFacts(node_addresses=nodes))
    return [(each.rule, each.severity, each.path) for each in found]


def test_a_cluster_takes_no_address_that_a_node_has() -> None:
    nodes = {"10.20.0.5": "worker1", "10.20.0.11": "worker2"}
    assert judged("cluster", {}, nodes) == [("address-of-a-node", "error", f"{NET}.addresses.smtp")]


def test_every_address_of_a_service_is_looked_at() -> None:
    both = {"network/addresses/smtp": ["10.20.0.11", "2001:db8::11"]}
    assert judged("cluster", both, {"2001:db8::11": "worker2"})


@pytest.mark.parametrize(
    "nodes", [{"11.0.0.1": "n1"}, {"11.0.0.1": "n1", "11.0.0.2": "n2"}, {"11.0.0.1": "unknown to the file"}]
)
def test_one_node_with_its_own_address_is_told_to_open_its_ports(nodes: dict[str, str]) -> None:
    assert judged("single-node", ONE, nodes) == [("address-of-a-node", "warning", f"{NET}.addresses.all")]


def test_the_address_of_another_node_is_refused_in_single_node_mode_too() -> None:
    nodes = {"11.0.0.1": "n2", "11.0.0.2": "n1"}
    assert judged("single-node", ONE, nodes) == [("address-of-a-node", "error", f"{NET}.addresses.all")]


@pytest.mark.parametrize(
    ("changes", "nodes"),
    [(ONE | {"network/loadBalancer": "hostPort"}, {"11.0.0.1": "n1"}), (ONE, {"11.0.0.2": "n1"})],
)
def test_ports_of_the_node_and_addresses_of_nobody_are_right(
    changes: dict[str, Any], nodes: dict[str, str]
) -> None:
    assert judged("single-node", changes, nodes) == []
