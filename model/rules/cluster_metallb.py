"""Whether MetalLB may have the stack's addresses, and would announce them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from model import topology
from model.catalogue import metallb as rules
from model.findings import Finding, some
from model.metallb import holds, release, too_old
from model.rules.cluster_network import announced
from model.rules.cluster_operators import OperatorFacts, kept_away
from model.settings import Settings

_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def cluster_metallb(
    settings: Settings, nodes: Mapping[str, Mapping[str, str]] | None, facts: OperatorFacts
) -> Iterator[Finding]:
    """Findings about its release, pools of others and nodes; `nodes` have their labels. What could not be read is not judged."""
    if settings.network.load_balancer != "metallb":
        return
    if facts.metallb and (least := too_old(facts.metallb)):
        yield rules.METALLB_OLD.found(found=release(facts.metallb), least=least)
    yield from _pools(settings, facts.pools or {})
    if not facts.announces_anywhere:
        yield from _excluded(settings, nodes or {}, facts)


def _pools(settings: Settings, pools: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Pools of others. The stack's own, which a stack that runs has, is called after its namespace (components/exposure.py)."""
    others = {name: found for name, found in pools.items() if name != settings.kubernetes.namespace}
    for path, address in announced(settings):
        for pool, entries in sorted(others.items()):
            for entry in [each for each in entries if holds(each, address)][:1]:
                yield rules.ADDRESS_IN_POOL.found(
                    path=path,
                    address=address,
                    pool=pool,
                    entry=entry,
                    namespace=settings.network.metallb.namespace,
                )


def _excluded(
    settings: Settings, nodes: Mapping[str, Mapping[str, str]], facts: OperatorFacts
) -> Iterator[Finding]:
    """With the policy Local a node announces for its own pods alone, and one with the label for none (MetalLB: speaker)."""
    for names, allowed in _places(settings, nodes, facts):
        without = [node for node in allowed if _EXCLUDED in nodes[node]]
        if without and without == allowed:
            yield rules.NODES_EXCLUDED.found(names=names, nodes=some(without), node=without[0])
        elif without:
            yield rules.NODES_EXCLUDED_SOME.found(names=names, nodes=some(without), node=without[0])


def _places(
    settings: Settings, nodes: Mapping[str, Mapping[str, str]], facts: OperatorFacts
) -> Iterator[tuple[str, list[str]]]:
    """Public daemons, and the nodes of the cluster that may run them."""
    public = [*dict.fromkeys(port.daemon.name for port in topology.public_ports(settings))]
    # Where every node keeps our pods away, that is said elsewhere, and put right by letting them in somewhere.
    open_nodes = [node for node in nodes if not any(kept_away(settings, facts, node))] or [*nodes]
    edge, sending = topology.edge_node(settings), topology.postfix_nodes(settings)
    if edge is not None:
        yield ", ".join(public), [node for node in nodes if node == edge]
    elif settings.single_node or not sending:
        yield ", ".join(public), open_nodes
    else:
        yield "postfix", [node for node in nodes if node in sending]
        yield ", ".join(name for name in public if name != "postfix"), open_nodes
