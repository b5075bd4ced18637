"""What the world sees when we send."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import egress as rules
from model.findings import Finding
from model.settings import Settings


def egress_known(settings: Settings) -> Iterator[Finding]:
    """SPF, HELO and PTR are made from egress, so a stack without one cannot send deliverable mail."""
    if settings.network.egress is None:
        yield rules.EGRESS_MISSING.found()


def egress_usable(settings: Settings) -> Iterator[Finding]:
    """Postfix needs a place to run for each replica, and single-node mode runs it where the address is."""
    egress = settings.network.egress
    if egress is None:
        return
    if egress.mode == "gateway" and not any(a.version == 4 for a in egress.addresses):
        yield rules.EGRESS_IPV4.found()
    if egress.mode == "nodes":
        for node, addresses in egress.nodes.items():
            if not any(a.version == 4 for a in addresses):
                yield rules.EGRESS_IPV4_NODE.found(node=node)
        if not settings.single_node and settings.replicas.postfix > len(egress.nodes):
            yield rules.EGRESS_TOO_FEW_NODES.found(
                replicas=settings.replicas.postfix, nodes=len(egress.nodes)
            )
        edge = settings.network.edge_node
        if settings.single_node and edge and edge not in egress.nodes:
            yield rules.EGRESS_EDGE_NODE.found(node=edge)
        if settings.single_node and edge is None and len(egress.nodes) > 1:
            yield rules.EGRESS_EDGE_NODE_MISSING.found()
    if egress.mode == "relay" and egress.spf_include is None:
        yield rules.EGRESS_RELAY_SPF.found()


RULES = (egress_known, egress_usable)
