"""Whether somebody holds the ports that the stack's pods open on their node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from model import topology
from model.catalogue import cluster as rules
from model.findings import Finding, some
from model.settings import Settings


@dataclass(frozen=True, order=True, kw_only=True)
class HeldPort:
    """A port of a node that a pod of somebody else has.

    Of which of the node's addresses makes no difference: ours are opened on all of them (Kubernetes: kube-scheduler,
    HostPortInfo.CheckConflict).
    """

    node: str
    number: int
    protocol: str
    holder: str
    """`namespace/name` of what keeps the pod."""


Nodes = Mapping[str, Mapping[str, str]]


def cluster_ports(
    settings: Settings, nodes: Nodes | None, held: tuple[HeldPort, ...] | None
) -> Iterator[Finding]:
    """Findings about the node of the public pods, or all nodes where it is not named; what could not be read is not judged."""
    if settings.network.load_balancer != "hostPort":
        return
    edge = topology.edge_node(settings)
    allowed = [*(nodes or {})] if edge is None else [edge]
    for holder, found in wanted(settings, held or ()).items():
        there = [each for each in found if each.node in allowed]
        at = sorted({each.node for each in there})
        if not at:
            continue
        if len(at) < len(allowed):
            yield rules.HOST_PORTS_SOMEWHERE.found(holder=holder, ports=numbers(there), nodes=some(at))
        elif holder.partition("/")[2].startswith("svclb-"):
            yield rules.HOST_PORTS_K3S.found(holder=holder, ports=numbers(there), nodes=some(at))
        else:
            yield rules.HOST_PORTS.found(holder=holder, ports=numbers(there), nodes=some(at))


def wanted(settings: Settings, held: Iterable[HeldPort]) -> dict[str, list[HeldPort]]:
    """Holder -> what it holds of the ports that a stack opens to the world."""
    ours = {(port.number, port.target.protocol) for port in topology.public_ports(settings)}
    found: dict[str, list[HeldPort]] = defaultdict(list)
    for each in sorted(held):
        if (each.number, each.protocol) in ours:
            found[each.holder].append(each)
    return dict(sorted(found.items()))


def numbers(held: Iterable[HeldPort]) -> str:
    """Their numbers, each once; TCP is not named."""
    each = sorted({(port.number, port.protocol) for port in held})
    return ", ".join(f"{number}{'' if protocol == 'TCP' else f'/{protocol}'}" for number, protocol in each)
