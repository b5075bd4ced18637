"""The policies of a stack, as the network plugins that people run read them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from model import topology
from model.rules.cluster_network import NetworkFacts, completed
from model.topology import METADATA, Outside
from tests.support.deploy import deploy
from tests.support.dialects import (
    API_ON_NODE,
    API_ON_OWN_NODE,
    CLOUD_API,
    CONTROLLER,
    DNS_POD,
    NEIGHBOUR,
    NODE_LOCAL_DNS,
    OTHER_NODE,
    OWN_NODE,
    STRANGER,
    Place,
    Reading,
)
from tests.support.stacks import changed

pytestmark = [pytest.mark.thorough, pytest.mark.security]


@dataclass(frozen=True)
class Kind:
    """A stack in a kind of cluster. `api` is where an API server really answers, at this port."""

    dialect: str
    base: str
    api: Place
    port: int = 6443
    dns: Mapping[str, object] = field(default_factory=dict)


_OPENSHIFT = {"labels": {"dns.operator.openshift.io/daemonset-dns": "default"}, "ports": [5353]}
CLUSTERS = {
    "k3s": Kind("addresses", "cluster", API_ON_NODE),
    "MicroK8s with Calico": Kind("addresses", "single-node", API_ON_NODE, 16443),
    "Gardener": Kind("addresses", "cluster", CLOUD_API, 443, {"ports": [8053]}),
    "OpenShift": Kind("addresses", "cluster", API_ON_NODE, dns=_OPENSHIFT),
    "kubeadm with Cilium": Kind("cilium", "cluster", API_ON_NODE),
    "one node with Cilium": Kind("cilium", "single-node", API_ON_OWN_NODE),
    "a cloud with Cilium": Kind("cilium", "external", CLOUD_API, 443),
    "behind an Ingress controller with Cilium": Kind("cilium", "full", API_ON_NODE),
    "behind a Gateway with Cilium": Kind("cilium", "gateway", API_ON_NODE),
}
ADMINISTRATION = (22, 111, 2379, 4240, 6443, 8472, 9090, 9100, 10250, 10255, 10256, 30443)


class Cluster:
    """A stack in a cluster of one kind."""

    def __init__(self, kind: Kind) -> None:
        network = {"cni": "cilium" if kind.dialect == "cilium" else "standard", "dns": dict(kind.dns)}
        changes = {"network": network, "kubernetes": {"api": {"ports": sorted({443, 6443, kind.port})}}}
        facts = NetworkFacts(api=frozenset({(kind.api.address, kind.port)}))
        self.settings = completed(changed(kind.base, changes), facts)
        labels = {key: values[0] for key, values in self.settings.network.dns.labels.items()}
        self.reading = Reading(deploy(self.settings), kind.dialect, labels)
        self.api, self.api_port = kind.api, kind.port

    def wanted(self) -> Iterator[tuple[str, Place, str, int]]:
        """Every connection of the topology, to what really answers it."""
        for connection in topology.connections(self.settings):
            for place, port in self._answering(connection):
                yield connection.client.name, place, port.protocol, port.number

    def _answering(self, connection: topology.Connection) -> Iterator[tuple[Place, topology.Port]]:
        server = connection.server
        if not isinstance(server, Outside):
            public = self.settings.network.web_server and connection.public and server == topology.PROXY
            # A controller answers for the website alone; mail comes to the proxy's own addresses.
            if public and connection.ports == ("https",):
                listens = topology.controller_ports(self.settings)
                yield from itertools.product((CONTROLLER, OWN_NODE, OTHER_NODE), listens)
                return
            listening = {
                *server.ports,
                *(p.target for p in topology.public_ports(self.settings) if p.daemon == server),
            }
            for port in listening:
                if port.name in connection.ports or (not connection.ports and port in server.ports):
                    yield self.reading.pods[server.name], port
        elif server.name == "kubernetes-behind":
            yield from ((self.api, port) for port in server.ports if port.number == self.api_port)
        elif server.name == "kubernetes":
            return  # nothing answers at the Service's own address
        elif server.name == "dns":
            yield from ((DNS_POD, port) for port in server.ports)
        elif server.name == "dns-addresses":
            yield from ((NODE_LOCAL_DNS, port) for port in server.ports)
        else:
            where = server.blocks[0].network
            address = STRANGER.address if where.prefixlen == 0 else str(where[0])
            yield from ((Place(address, "world"), port) for port in server.ports)


@functools.cache
def cluster(name: str) -> Cluster:
    return Cluster(CLUSTERS[name])


@pytest.fixture(params=CLUSTERS)
def each(request: pytest.FixtureRequest) -> Cluster:
    return cluster(request.param)


def test_every_connection_of_the_topology_is_open(each: Cluster) -> None:
    pods = each.reading.pods
    closed = [
        (client, place, protocol, port)
        for client, place, protocol, port in each.wanted()
        if not each.reading.may(pods[client], place, protocol, port)
    ]
    assert closed == []


def test_nothing_else_is_reached_on_nodes_and_no_neighbour_at_all(each: Cluster) -> None:
    """An entity of Cilium is all of its nodes, so what is needed of one is open on each."""
    wanted: dict[tuple[str, str, int], set[str]] = {}
    for client, place, protocol, port in each.wanted():
        wanted.setdefault((client, protocol, port), set()).update((place.address, *place.entities))
    surplus = [
        (client, place, protocol, port)
        for client, pod in each.reading.pods.items()
        for place in (OWN_NODE, OTHER_NODE, API_ON_NODE, API_ON_OWN_NODE, NODE_LOCAL_DNS, NEIGHBOUR)
        for protocol, port in itertools.product(("TCP", "UDP"), (25, 53, 80, 443, 16443, *ADMINISTRATION))
        if each.reading.may(pod, place, protocol, port)
        and not wanted.get((client, protocol, port), set()) & {place.address, *place.entities}
    ]
    # The ports of API servers that a stack file names by default are two.
    assert [one for one in surplus if (one[0], one[3]) != ("vector", 443)] == []


def test_a_node_without_an_api_server_is_not_reached_by_the_log_collector(each: Cluster) -> None:
    reading = each.reading
    if "vector" in reading.pods:
        assert not reading.may(reading.pods["vector"], OTHER_NODE, "TCP", each.api_port)


def test_metadata_services_are_closed(each: Cluster) -> None:
    for pod, address in itertools.product(each.reading.pods.values(), METADATA):
        for kind in ("world", "node"):
            place = Place(address, kind, ("host",) if kind == "node" else ())
            assert not each.reading.may(pod, place, "TCP", 80), address


def test_the_world_reaches_public_ports_and_no_others(each: Cluster) -> None:
    public = {
        (p.daemon.name, p.target.protocol, p.target.number) for p in topology.public_ports(each.settings)
    }
    found = {
        (daemon, port.protocol, port.number)
        for daemon, pod in each.reading.pods.items()
        for port in _every_port(each)
        if each.reading.may(STRANGER, pod, port.protocol, port.number)
    }
    assert found == public


def _every_port(each: Cluster) -> set[topology.Port]:
    daemons = topology.daemons(each.settings)
    return {port for daemon in daemons for port in daemon.ports} | {
        public.target for public in topology.public_ports(each.settings)
    }


@pytest.mark.parametrize("kind", ["an Ingress controller", "a Gateway"])
def test_who_answers_for_the_proxy_reaches_it_wherever_its_pods_are(kind: str) -> None:
    full = cluster(f"behind {kind} with Cilium")
    proxy, port = full.reading.pods["proxy"], topology.PROXY.port("https").number
    for controller in (CONTROLLER, OWN_NODE, OTHER_NODE):
        assert full.reading.may(controller, proxy, "TCP", port)
        assert not full.reading.may(controller, full.reading.pods["mariadb"], "TCP", 3306)


def test_without_its_own_rules_cilium_would_close_the_way_to_the_api_server() -> None:
    """What the setting is for: the judge above notices when it is missing."""
    given = completed(changed("cluster", {}), NetworkFacts(api=frozenset({("10.7.0.3", 6443)})))
    labels = {"k8s-app": "kube-dns"}
    vector = (pods := Reading(program := deploy(given), "cilium", labels)).pods["vector"]
    assert not pods.may(vector, API_ON_NODE, "TCP", 6443)
    assert Reading(program, "addresses", labels).may(vector, API_ON_NODE, "TCP", 6443)
