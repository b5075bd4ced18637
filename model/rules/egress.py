"""What the world sees when we send."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import egress as rules
from model.findings import Finding
from model.settings import Settings
from model.types import is_documentation


def egress_known(settings: Settings) -> Iterator[Finding]:
    """SPF, HELO and PTR are made from egress, so a stack without one cannot send deliverable mail."""
    if settings.network.egress is None:
        yield rules.EGRESS_MISSING.found()


def egress_usable(settings: Settings) -> Iterator[Finding]:
    """Postfix needs a place to run for each replica, and single-node mode runs it where the address is."""
    egress = settings.network.egress
    if egress is None:
        return
    for place, addresses in egress.listed.items():
        if not any(address.version == 4 for address in addresses):
            yield rules.EGRESS_IPV4.found(place=place)
        for address in addresses:
            if not (address.is_global or is_documentation(address)) and not settings.example:
                yield rules.EGRESS_PRIVATE.found(place=place, address=address)
    if egress.spf_includes is None:
        yield rules.EGRESS_RELAY_SPF.found()
    nodes, edge = egress.postfix_nodes, settings.network.edge_node
    if not nodes:
        return
    if not settings.single_node and settings.replicas.postfix > len(nodes):
        yield rules.EGRESS_TOO_FEW_NODES.found(replicas=settings.replicas.postfix, nodes=len(nodes))
    if settings.single_node and edge and edge not in nodes:
        yield rules.EGRESS_EDGE_NODE.found(node=edge)
    if settings.single_node and edge is None and len(nodes) > 1:
        yield rules.EGRESS_EDGE_NODE_MISSING.found()


RULES = (egress_known, egress_usable)
