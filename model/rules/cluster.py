"""Whether the cluster has what the stack stands on. Facts are observed before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from model.findings import Finding
from model.settings import Settings

_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """What was seen in the cluster. None means: it could not be read."""

    crds: frozenset[str] | None = None
    """Names of CustomResourceDefinitions."""
    nodes: Mapping[str, Mapping[str, str]] | None = None
    """Node name -> labels."""
    service_lb: bool | None = None
    """Whether k3s' ServiceLB serves some Service."""
    ingress_classes: frozenset[str] | None = None
    """Names of ingress classes."""
    storage_classes: Mapping[str, bool] | None = field(default=None)
    """Storage class -> whether it is the default."""


def cluster(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Findings about the cluster itself; what could not be read is not judged."""
    yield from _operators(settings, facts)
    yield from _nodes(settings, facts)
    yield from _classes(settings, facts)


def _operators(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    metallb = settings.network.load_balancer == "metallb"
    needed = []
    if metallb:
        needed.append(("ipaddresspools.metallb.io", "MetalLB", "or set network.loadBalancer: hostPort"))
    if settings.tls.issuer != "secrets":
        needed.append(("certificates.cert-manager.io", "cert-manager", "or set tls.issuer: secrets"))
    for crd, name, instead in needed:
        if facts.crds is not None and crd not in facts.crds:
            yield Finding(
                rule="operator-missing",
                path="kolab:network.loadBalancer" if name == "MetalLB" else "kolab:tls.issuer",
                problem=f"needs {name}, which is not installed in this cluster",
                fix=f"install {name} (docs/how-to/prepare-a-cluster.md), {instead}",
            )
    if metallb and facts.service_lb:
        yield Finding(
            rule="two-load-balancers",
            path="kolab:network.loadBalancer",
            problem="is metallb, but k3s' ServiceLB runs as well and would answer on node addresses with the clients' addresses lost",
            fix="start k3s with --disable servicelb",
        )


def _nodes(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    if facts.nodes is None:
        return
    if settings.network.load_balancer == "metallb" and all(
        _EXCLUDED in labels for labels in facts.nodes.values()
    ):
        yield Finding(
            rule="nodes-excluded",
            path="kolab:network.loadBalancer",
            problem=f"is metallb, but every node carries the label {_EXCLUDED}: no address would be announced",
            fix=f"kubectl label node <node> {_EXCLUDED}-",
        )
    named = [("kolab:network.edgeNode", settings.network.edge_node)]
    egress = settings.network.egress
    if egress is not None and egress.mode == "nodes":
        named += [(f"kolab:network.egress.nodes.{node}", node) for node in egress.nodes]
    for path, node in named:
        if node is not None and node not in facts.nodes:
            yield Finding(
                rule="node-unknown",
                path=path,
                problem=f"names node {node}, which this cluster does not have",
                fix=f"use one of {', '.join(sorted(facts.nodes))}",
            )


def _classes(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    ingress = settings.network.ingress
    if ingress and facts.ingress_classes is not None and ingress.class_name not in facts.ingress_classes:
        yield Finding(
            rule="ingress-class-unknown",
            path="kolab:network.ingress.className",
            problem=f"is {ingress.class_name}, which this cluster does not have",
            fix=f"use one of {', '.join(sorted(facts.ingress_classes)) or '(there is none)'}, or remove network.ingress",
        )
    if facts.storage_classes is None:
        return
    for name in type(settings.storage).model_fields:
        volume = getattr(settings.storage, name)
        chosen = getattr(volume, "storage_class", None)
        if chosen is not None and chosen not in facts.storage_classes:
            yield Finding(
                rule="storage-class-unknown",
                path=f"kolab:storage.{type(settings.storage).model_fields[name].alias}.storageClass",
                problem=f"is {chosen}, which this cluster does not have",
                fix=f"use one of {', '.join(sorted(facts.storage_classes)) or '(there is none)'}",
            )
    if not any(facts.storage_classes.values()):
        yield Finding(
            rule="storage-class-default",
            path="kolab:storage",
            severity="warning",
            problem="leaves some volume to the default storage class, and this cluster has none",
            fix="mark one as default, or name a storageClass for every volume",
        )
