"""A look at a cluster through the kubeconfig: reads only, waits seconds, and says what it could not read."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.observe import look_around
from components.observe_where import Where
from model.cluster_page import page, written
from model.rules.cluster import ClusterFacts


def contexts() -> list[str]:
    """Names of the kubeconfig's contexts; none when there is no kubeconfig that can be read."""
    from kubernetes import config  # noqa: PLC0415 (costs half a second)

    read: Any = config.list_kube_config_contexts
    try:
        listed = read()
    except (config.ConfigException, OSError, ValueError, TypeError):
        return []
    return [entry["name"] for entry in listed[0] or ()]


@dataclass
class Seen:
    """What a cluster shows."""

    nodes: tuple[str, ...] = ()
    external: dict[str, str] = field(default_factory=dict)
    pools: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    says: dict[str, Any] = field(default_factory=dict)
    """What the stack file has to say of it, nested as there."""
    shown: tuple[str, ...] = ()
    unread: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """What was seen, for the person who answers."""
        yield from self.shown
        for each in self.unread:
            yield f"{each}; answer what you know"


def look(context: str) -> Seen:
    """What the cluster behind `context` shows. Raises nothing."""
    seen = Seen()
    facts, where = look_around(Where(context=context), seen.unread.append)
    if facts == ClusterFacts():
        seen.unread = ["could not look up the cluster, which does not answer or tells this user nothing"]
        return seen
    rows = page(facts, where.dns)
    seen.shown = tuple(f"{row.about}: {row.seen}{f'; {row.then}' if row.then else ''}" for row in rows)
    seen.says = written(rows)
    seen.nodes = tuple(sorted(facts.nodes or ()))
    seen.external = _public(facts.network.node_addresses or {})
    seen.pools = tuple(range_ for found in (facts.operators.pools or {}).values() for range_ in found)
    kind = "ClusterIssuer/"
    seen.issuers = tuple(
        name.removeprefix(kind) for name in sorted(facts.operators.issuers or ()) if name.startswith(kind)
    )
    return seen


def _public(addresses: Mapping[str, str]) -> dict[str, str]:
    """Node -> the first public IPv4 address that the cluster knows of it."""
    found: dict[str, str] = {}
    for address, node in addresses.items():
        if ":" not in address and ipaddress.ip_address(address).is_global:
            found.setdefault(node, address)
    return found
