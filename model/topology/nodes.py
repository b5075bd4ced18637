"""Connections whose other end is a node itself and no pod on it.

To most network plugins a node is an address like others, so that the networks of a NetworkPolicy hold it. To Cilium nodes are
entities (host, remote-node, kube-apiserver), which no network holds: there each of these connections needs a rule of its own
(Cilium: Layer 3 policies, "IP/CIDR based"; policy-cidr-match-mode).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.settings import Settings
from model.topology.connections import Connection, connections
from model.topology.daemons import MEET, PROXY, Daemon, Port
from model.topology.outside import Outside, controller_ports

_HOST, _OTHER_NODES, _API, _INGRESS = "host", "remote-node", "kube-apiserver", "ingress"
_API_SERVICE, _DNS_ADDRESSES = "kubernetes", "dns-addresses"
"""Names of model/topology/outside.py."""


@dataclass(frozen=True)
class NodeConnection:
    """A connection between a daemon and nodes. `entities` are Cilium's words for these nodes, `ports` the server's."""

    daemon: Daemon
    entities: tuple[str, ...]
    ports: tuple[Port, ...]
    inwards: bool = False
    """Whether the node is the client."""


def node_connections(settings: Settings) -> tuple[NodeConnection, ...]:
    """What a stack needs of nodes: the API server, NodeLocal DNSCache, an Ingress controller on its node's own network."""
    return tuple(_found(settings))


def _found(settings: Settings) -> Iterator[NodeConnection]:
    for connection in connections(settings):
        yield from _to_nodes(settings, connection)
    if settings.network.web_server is not None:
        nodes: tuple[str, ...] = (_HOST, _OTHER_NODES)
        if settings.network.gateway is not None:
            # Cilium's own Gateway, which is no pod and no node (Cilium: Gateway API, network policies).
            nodes += (_INGRESS,)
        yield NodeConnection(PROXY, nodes, (PROXY.port("https"),), inwards=True)
        if settings.features.meet:
            # The controller answers Meet in the proxy's place.
            yield NodeConnection(MEET, nodes, controller_ports(settings))


def _to_nodes(settings: Settings, connection: Connection) -> Iterator[NodeConnection]:
    server = connection.server
    if not isinstance(server, Outside):
        return
    if server.name == _API_SERVICE:
        # What answers behind the Service, wherever that is: the entity needs no address.
        ports = tuple(
            Port(f"api-{number}", number) for number in dict.fromkeys(settings.kubernetes.api.ports)
        )
        yield NodeConnection(connection.client, (_API,), ports)
    elif server.name == _DNS_ADDRESSES:
        # Only the cache on the pod's own node answers there.
        yield NodeConnection(connection.client, (_HOST,), server.ports)
