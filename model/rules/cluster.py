"""Whether the cluster has what the stack stands on. Facts are observed before anything is planned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from model.budget import Room, limited, requested
from model.catalogue import cluster as rules
from model.findings import Finding
from model.ingress import CONTROLLERS, kind_of
from model.rules.cluster_admission import Webhook, cluster_admission
from model.rules.cluster_cni import cluster_cni
from model.rules.cluster_gateways import GatewayFacts, cluster_gateways, controllers
from model.rules.cluster_metallb import cluster_metallb
from model.rules.cluster_monitoring import cluster_monitoring
from model.rules.cluster_network import NetworkFacts, cluster_network
from model.rules.cluster_operators import OperatorFacts, cluster_operators
from model.rules.cluster_ports import HeldPort, cluster_ports
from model.rules.cluster_priorities import PriorityClass, cluster_priorities
from model.rules.cluster_room import cluster_room, free, together
from model.rules.cluster_storage import cluster_storage
from model.settings import Ingress, Settings
from model.topology import postfix_nodes

_OLDEST, _NEWEST = (1, 32), (1, 35)
TRIED = " to ".join(".".join(map(str, each)) for each in (_OLDEST, _NEWEST))
"""The releases of Kubernetes that the manifests are tried with (docs/reference/versions.md)."""


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """What was seen in the cluster. None means: it could not be read."""

    version: str | None = None
    """Version of the API server, as it says it: v1.33.4+k3s1."""
    crds: frozenset[str] | None = None
    """Names of CustomResourceDefinitions."""
    nodes: Mapping[str, Mapping[str, str]] | None = None
    """Node name -> labels."""
    rooms: Mapping[str, Room] | None = None
    """Node that takes new pods -> what it offers them, whatever others use of it already."""
    taken: Mapping[str, Room] | None = None
    """Node -> what pods of other namespaces request there."""
    held_ports: tuple[HeldPort, ...] | None = None
    """Ports of nodes that pods of other namespaces have."""
    webhooks: tuple[Webhook, ...] | None = None
    """Who is asked about objects in the stack's namespaces before they are stored."""
    service_lb: bool | None = None
    """Whether k3s' ServiceLB serves some Service."""
    ingress_classes: Mapping[str, str] | None = None
    """Ingress class -> the controller that serves it."""
    controllers: Mapping[str, frozenset[int]] | None = None
    """Pods where whoever serves the websites in the proxy's place has its own, those on their node's network included: address -> TCP ports that it declares."""
    storage_classes: Mapping[str, bool] | None = field(default=None)
    """Storage class -> whether it is the default."""
    priority_classes: Mapping[str, PriorityClass] | None = None
    """By name."""
    network: NetworkFacts = field(default_factory=NetworkFacts)
    """Where its pods, Services, DNS and API servers are."""
    operators: OperatorFacts = field(default_factory=OperatorFacts)
    """Issuers, MetalLB, and what keeps pods off nodes."""
    gateways: GatewayFacts = field(default_factory=GatewayFacts)
    """What there is of the Gateway API."""


def cluster(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Findings about the cluster itself; what could not be read is not judged."""
    if facts.version and untried(facts.version):
        yield rules.KUBERNETES_VERSION.found(found=facts.version, tried=TRIED)
    yield from _operators(settings, facts)
    yield from _nodes(settings, facts)
    yield from cluster_room(settings, facts.rooms, facts.taken)
    yield from _ingress(settings, facts)
    yield from cluster_storage(settings, facts.storage_classes)
    yield from cluster_network(settings, facts.network)
    yield from cluster_cni(settings, facts.crds, facts.operators.daemon_sets, facts.network)
    yield from cluster_operators(settings, facts.operators)
    yield from cluster_ports(settings, facts.nodes, facts.held_ports)
    yield from cluster_metallb(settings, facts.nodes, facts.operators)
    yield from cluster_gateways(settings, facts.crds, facts.gateways)
    yield from controllers(settings, facts.controllers)
    yield from cluster_priorities(settings, facts.priority_classes)
    yield from cluster_monitoring(settings, facts.crds, facts.operators.readers)
    yield from cluster_admission(settings, facts.webhooks)


def untried(version: str) -> str:
    """Why a release of Kubernetes, as an API server says it, may not do; empty if it was tried or is no version."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    release = (int(found[1]), int(found[2])) if found else _OLDEST
    return "" if _OLDEST <= release <= _NEWEST else f"this release of the stack was tried with {TRIED}"


def _operators(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    metallb = settings.network.load_balancer == "metallb"
    needed = []
    if metallb:
        needed.append(("ipaddresspools.metallb.io", "MetalLB", "or set network.loadBalancer: hostPort"))
    if settings.tls.issuer != "secrets":
        needed.append(("certificates.cert-manager.io", "cert-manager", "or set tls.issuer: secrets"))
    for crd, name, instead in needed:
        if facts.crds is not None and crd not in facts.crds:
            yield rules.OPERATOR_MISSING.found(
                path="kolab:network.loadBalancer" if name == "MetalLB" else "kolab:tls.issuer",
                name=name,
                instead=instead,
            )
    if metallb and facts.service_lb:
        yield rules.TWO_LOAD_BALANCERS.found()


def _nodes(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    if facts.nodes is None:
        return
    named = [("kolab:network.edgeNode", settings.network.edge_node)]
    named += [(f"kolab:network.egress.nodes.{node}", node) for node in postfix_nodes(settings)]
    for path, node in named:
        if node is not None and node not in facts.nodes:
            yield rules.NODE_UNKNOWN.found(
                path=path, node=node, nodes=", ".join(sorted(facts.nodes)) or "(there is none)"
            )


def totals(
    settings: Settings, rooms: Mapping[str, Room] | None, taken: Mapping[str, Room] | None = None
) -> str:
    """What the stack takes of the cluster, as a sentence."""
    offered = f"; the nodes offer {together(rooms)}" if rooms else ""
    if rooms and taken is not None:
        offered += f", of which others leave {together(free(rooms, taken))}"
    most = limited(settings) / 1024**3
    return f"size {settings.size}: pods request {requested(settings)}, and may come to take {most:.1f}Gi{offered}"


def _ingress(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    ingress, classes = settings.network.ingress, facts.ingress_classes
    if ingress is None or classes is None:
        return
    if ingress.class_name in classes:
        yield from _controller(ingress, classes[ingress.class_name])
    else:
        yield rules.INGRESS_CLASS_UNKNOWN.found(
            chosen=ingress.class_name, classes=", ".join(sorted(classes)) or "(there is none)"
        )


def _controller(ingress: Ingress, serving: str) -> Iterator[Finding]:
    """Whoever runs a second controller of a kind may call it anything: only that of another kind is surely wrong."""
    kind = kind_of(serving)
    if kind is None:
        yield rules.INGRESS_CONTROLLER_UNKNOWN.found(
            given=ingress.controller,
            chosen=ingress.class_name,
            serving=serving or "a controller that it does not name",
            kinds=", ".join(CONTROLLERS),
        )
    elif kind != ingress.controller:
        yield rules.INGRESS_CONTROLLER.found(given=ingress.controller, chosen=ingress.class_name, kind=kind)
