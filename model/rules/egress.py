"""What the world sees when we send."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.settings import Settings

_AT = "kolab:network.egress"


def egress_known(settings: Settings) -> Iterator[Finding]:
    """SPF, HELO and PTR are made from egress, so a stack without one cannot send deliverable mail."""
    if settings.network.egress is None:
        yield Finding(
            rule="egress-missing",
            path=_AT,
            problem="is missing: SPF, HELO and PTR follow the address that mail leaves from, which is never the load balancer's",
            fix="list the nodes that may run Postfix with their public addresses, egress: {mode: nodes, nodes: {<node>: [<address>]}}, or use mode gateway or relay",
        )


def egress_usable(settings: Settings) -> Iterator[Finding]:
    """Postfix needs a place to run for each replica, and single-node mode runs it where the address is."""
    egress = settings.network.egress
    if egress is None:
        return
    if egress.mode == "gateway" and not any(a.version == 4 for a in egress.addresses):
        yield Finding(
            rule="egress-ipv4",
            path=f"{_AT}.addresses",
            problem="has no IPv4 address, and most receivers have no other",
            fix="add the IPv4 address that mail leaves the gateway with",
        )
    if egress.mode == "nodes":
        for node, addresses in egress.nodes.items():
            if not any(a.version == 4 for a in addresses):
                yield Finding(
                    rule="egress-ipv4",
                    path=f"{_AT}.nodes.{node}",
                    problem="has no IPv4 address, and most receivers have no other",
                    fix="add the IPv4 address that mail from this node leaves with",
                )
        if not settings.single_node and settings.replicas.postfix > len(egress.nodes):
            yield Finding(
                rule="egress-too-few-nodes",
                path="kolab:replicas.postfix",
                problem=f"is {settings.replicas.postfix}, but only {len(egress.nodes)} node(s) have an egress address",
                fix="list more nodes under network.egress.nodes, or run fewer replicas",
            )
        edge = settings.network.edge_node
        if settings.single_node and edge and edge not in egress.nodes:
            yield Finding(
                rule="egress-edge-node",
                path="kolab:network.edgeNode",
                problem=f"is {edge}, which has no egress address, but Postfix runs there in single-node mode",
                fix=f"add {edge} to network.egress.nodes",
            )
        if settings.single_node and edge is None and len(egress.nodes) > 1:
            yield Finding(
                rule="egress-edge-node",
                path="kolab:network.edgeNode",
                problem="is missing although egress lists several nodes: all public pods must share one node",
                fix="name the one node that holds the address",
            )
    if egress.mode == "relay" and egress.spf_include is None:
        yield Finding(
            rule="egress-relay-spf",
            path=f"{_AT}.spfInclude",
            severity="warning",
            problem="is missing, so SPF cannot list the relay's addresses",
            fix="ask the relay's operator for the domain to include",
        )


RULES = (egress_known, egress_usable)
