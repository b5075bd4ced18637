"""A pod that wants out: what the rendered NetworkPolicies let each daemon reach, before and after address translation."""

from __future__ import annotations

import functools
import itertools

import pytest

from model import topology
from model.rules.cluster_network import NetworkFacts, completed
from model.topology import METADATA
from tests.support.deploy import deploy
from tests.support.rendered import (
    API_SERVICE,
    CONTROLLER,
    DNS_POD,
    DNS_SERVICE,
    NEIGHBOUR,
    NEIGHBOURS_SERVICE,
    Neighbourhood,
)
from tests.support.stacks import changed, deployment, stack

pytestmark = pytest.mark.security

HOSTILE = {
    **{f"metadata at {address}": address for address in METADATA},
    "a private host": "10.1.2.3",
    "another private host": "172.20.1.1",
    "a third private host": "192.168.1.1",
    "a host behind a carrier's NAT": "100.64.1.1",
    "the pod's node": "127.0.0.1",
    "this host": "0.0.0.0",  # noqa: S104
    "everybody": "255.255.255.255",
    "a multicast group": "224.0.0.251",
    "a pod of somebody else": NEIGHBOUR,
    "a Service of somebody else": NEIGHBOURS_SERVICE,
    "a private IPv6 host": "fd12:3456::1",
    "a neighbour on the link": "fe80::1",
    "all neighbours on the link": "ff02::1",
    "the pod's node by IPv6": "::1",
    "metadata through NAT64": "64:ff9b::a9fe:a9fe",
    "metadata as a mapped address": "::ffff:a9fe:a9fe",
}
PORTS = (22, 25, 53, 80, 111, 443, 587, 2379, 3306, 6379, 6443, 8080, 9000, 10250, 10255, 16443, 30443)
WORLD, WORLD_6 = "203.0.113.99", "2606:4700:4700::1111"
RESOLVERS = ("8.8.8.8", "2001:4860:4860::8888", WORLD)
FETCHING = {"seed", "scheduler", "horizon", "postfix", "alertmanager"}
SILENT = {"mariadb", "redis", "minio", "versitygw", "victorialogs", "coturn"}
"""Daemons that ask nobody's name."""


@functools.cache
def around(name: str) -> Neighbourhood:
    return Neighbourhood(deployment(name))


@pytest.fixture
def cluster(name: str) -> Neighbourhood:
    return around(name)


def reached(cluster: Neighbourhood, daemon: str, address: str) -> set[tuple[str, int]]:
    return {
        (protocol, port)
        for protocol, port in itertools.product(("TCP", "UDP"), PORTS)
        if cluster.may(daemon, address, protocol, port)
    }


@pytest.mark.parametrize("what", HOSTILE)
def test_no_daemon_reaches_the_neighbourhood(cluster: Neighbourhood, what: str) -> None:
    """Metadata services, private networks, other namespaces: not on any port, web and mail included."""
    found = {daemon: reached(cluster, daemon, HOSTILE[what]) for daemon in cluster.homes}
    assert not {daemon: ports for daemon, ports in found.items() if ports}


def test_an_ingress_controller_is_reached_by_meet_alone_which_finds_the_website_there(
    cluster: Neighbourhood, name: str
) -> None:
    for daemon in cluster.homes:
        wanted = {("TCP", 443)} if daemon == "meet" and stack(name).network.web_server else set()
        assert reached(cluster, daemon, CONTROLLER) == wanted, daemon


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_no_daemon_asks_a_resolver_of_the_world(cluster: Neighbourhood, name: str, resolver: str) -> None:
    """Names carry data out as well as any connection does. With DANE Postfix's pod asks the servers of receivers' zones."""
    both = {("UDP", 53), ("TCP", 53)}
    for daemon in cluster.homes:
        wanted = both if daemon == "postfix" and stack(name).mail.outbound.dane else set()
        assert reached(cluster, daemon, resolver) & both == wanted, daemon


@pytest.mark.parametrize("address", [DNS_SERVICE, DNS_POD, "169.254.20.10"])
def test_names_are_asked_of_the_clusters_dns_by_those_who_need_them(
    cluster: Neighbourhood, address: str
) -> None:
    """At the Service, at the pod behind it, at NodeLocal DNSCache; and nothing else is asked there."""
    for daemon in cluster.homes:
        # The container for backups beside the server of files asks for the repository.
        silent = daemon in SILENT and not (
            daemon in ("minio", "versitygw") and "restore-files" in cluster.homes
        )
        wanted = set() if silent else {("UDP", 53), ("TCP", 53)}
        assert reached(cluster, daemon, address) == wanted, daemon


def test_whoever_reaches_a_server_by_its_name_may_ask_for_it(name: str) -> None:
    connections = [
        connection for connection in topology.connections(stack(name)) if connection.why != "names"
    ]
    asking = {
        connection.client.name
        for connection in topology.connections(stack(name))
        if connection.why == "names"
    }
    # A rehearsal asks whether the names of its daemon's servers exist, and connects to none.
    assert asking == {connection.client.name for connection in connections} - {"coturn"} | {"rehearsal"}


@pytest.mark.parametrize("name", ["external", "host-port", "cluster"])
def test_no_daemon_reaches_our_own_public_addresses_as_if_they_were_the_world(name: str) -> None:
    settings, cluster = stack(name), around(name)
    ours = {
        *itertools.chain.from_iterable(topology.load_balancer_addresses(settings).values()),
        *itertools.chain.from_iterable(topology.public_addresses(settings).values()),
        *topology.egress_addresses(settings),
    }
    assert ours
    for daemon, address in itertools.product(cluster.homes, ours):
        found = reached(cluster, daemon, address)
        assert found <= ({("TCP", 443)} if daemon == "meet" else set()), (daemon, address)


@pytest.mark.parametrize("address", [WORLD, WORLD_6])
def test_the_world_is_reached_by_those_who_need_it_on_their_ports(
    cluster: Neighbourhood, name: str, address: str
) -> None:
    names = {("UDP", 53), ("TCP", 53)} if stack(name).mail.outbound.dane else set()
    mail = {"postfix": {("TCP", 587 if name == "host-port" else 25)} | names}
    for daemon in cluster.homes:
        web = {("TCP", 80), ("TCP", 443)} if daemon in FETCHING else set()
        assert reached(cluster, daemon, address) == web | mail.get(daemon, set()), daemon


def test_our_pods_reach_each_other_along_connections_only(cluster: Neighbourhood, name: str) -> None:
    """Egress of the one and ingress of the other, on every port that anybody has."""
    settings = stack(name)
    daemons = {daemon.name: daemon for daemon in topology.daemons(settings)}
    listening = {daemon: {*found.ports} for daemon, found in daemons.items()}
    for public in topology.public_ports(settings):
        listening[public.daemon.name].add(public.target)
    wanted = {
        (connection.client.name, connection.server.name, port.protocol, port.number)
        for connection in topology.connections(settings)
        if isinstance(connection.server, topology.Daemon)
        for port in (
            [p for p in listening[connection.server.name] if p.name in connection.ports]
            if connection.ports
            else connection.server.ports
        )
    }
    every = {(port.protocol, port.number) for ports in listening.values() for port in ports}
    found = {
        (client, server, protocol, number)
        for client, server in itertools.permutations(cluster.homes, 2)
        for protocol, number in {*every, ("TCP", 22), ("TCP", 10250)}
        if cluster.may(client, cluster.homes[server], protocol, number)
    }
    assert found == {each for each in wanted if each[0] != each[1]}


@pytest.mark.thorough
def test_a_mail_server_and_a_web_server_of_the_company_are_reached_where_a_setting_says_so() -> None:
    peers = {"web": "10.9.0.4/32", "smtp": ["10.9.0.25/32"]}
    cluster = Neighbourhood(deploy(changed("cluster", {"network": {"internalPeers": peers}})))
    for daemon in cluster.homes:
        fetching = {("TCP", 80), ("TCP", 443)} if daemon in FETCHING else set()
        assert reached(cluster, daemon, "10.9.0.4") == fetching, daemon
        assert reached(cluster, daemon, "10.9.0.25") == ({("TCP", 25)} if daemon == "postfix" else set()), (
            daemon
        )
        assert not reached(cluster, daemon, "10.9.0.5"), daemon


@pytest.mark.thorough
def test_a_smarthost_inside_is_the_only_one_that_takes_our_mail() -> None:
    relay = {"mode": "relay", "host": "relay.example.net", "networks": [f"{NEIGHBOUR}/32"]}
    cluster = Neighbourhood(deploy(changed("host-port", {"network": {"egress": relay}})))
    assert reached(cluster, "postfix", NEIGHBOUR) == {("TCP", 587)}
    assert reached(cluster, "postfix", WORLD) == {("TCP", 80), ("TCP", 443)}


@pytest.mark.thorough
def test_a_network_that_holds_metadata_services_is_reached_without_them() -> None:
    wide = {"database": {"cidr": "100.64.0.0/10"}, "s3": {"cidr": "168.48.0.0/12"}}
    cluster = Neighbourhood(deploy(changed("external", {"external": wide})))
    assert ("TCP", 3306) in reached(cluster, "webapp", "100.70.0.9")
    for daemon, address in itertools.product(cluster.homes, METADATA):
        assert not reached(cluster, daemon, address), (daemon, address)


@pytest.mark.thorough
def test_a_public_network_can_be_closed() -> None:
    closed = {"network": {"closed": [f"{WORLD}/32", "2606:4700::/32"]}}
    cluster = Neighbourhood(deploy(changed("cluster", closed)))
    for daemon, address in itertools.product(cluster.homes, (WORLD, WORLD_6)):
        assert not reached(cluster, daemon, address), daemon


@pytest.mark.thorough
def test_where_the_whole_world_is_closed_nothing_of_it_is_reached() -> None:
    closed = {"network": {"closed": ["0.0.0.0/0", "::/0"]}}
    cluster = Neighbourhood(deploy(changed("cluster", closed)))
    for daemon in cluster.homes:
        assert not reached(cluster, daemon, "203.0.113.98"), daemon


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("dns", "labels", "port"),
    [
        ({"ports": [8053]}, {"k8s-app": "kube-dns"}, 8053),
        ({}, {"k8s-app": "node-local-dns"}, 53),
        ({"labels": {"k8s-app": "coredns", "tier": ["a", "b"]}}, {"k8s-app": "coredns", "tier": "b"}, 53),
    ],
    ids=["Gardener", "NodeLocal DNSCache on Cilium", "labels of one's own"],
)
def test_dns_of_other_clusters_is_reached_at_its_pods(dns: object, labels: dict[str, str], port: int) -> None:
    cluster = Neighbourhood(deploy(changed("cluster", {"network": {"dns": dns}})), labels)
    assert cluster.may("postfix", DNS_POD, "UDP", port)
    assert cluster.may("postfix", DNS_POD, "TCP", port)
    assert not cluster.may("postfix", DNS_POD, "TCP", 9153)


def test_only_the_log_collector_reaches_the_kubernetes_api(cluster: Neighbourhood) -> None:
    for daemon in cluster.homes:
        wanted = {("TCP", 443)} if daemon == "vector" else set()
        assert reached(cluster, daemon, API_SERVICE) == wanted, daemon


@pytest.mark.thorough
def test_the_log_collector_reaches_the_api_servers_behind_the_service_and_no_other_port_of_theirs() -> None:
    facts = NetworkFacts(api=frozenset({("10.7.0.1", 16443), ("10.7.0.2", 16443)}))
    cluster = Neighbourhood(deploy(completed(stack("cluster"), facts)))
    for daemon in cluster.homes:
        for server in ("10.7.0.1", "10.7.0.2"):
            wanted = {("TCP", 16443)} if daemon == "vector" else set()
            assert reached(cluster, daemon, server) == wanted, daemon
        assert not reached(cluster, daemon, "10.7.0.3"), daemon
