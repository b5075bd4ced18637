"""Whether the operators of the cluster, and what else runs there, can do what the stack file asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from model import topology
from model.catalogue import cluster as rules
from model.findings import Finding, some
from model.identity.http01 import certified, elsewhere
from model.issuers import Issuer
from model.rules.cluster_monitoring import Reader
from model.settings import Settings, Toleration

CERTIFICATE_LABELS = {"app.kubernetes.io/name": "certificates", "app.kubernetes.io/instance": "kolab"}
"""What selectors of solvers may ask for."""


@dataclass(frozen=True)
class Taint:
    """What keeps pods off a node."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, kw_only=True)
class OperatorFacts:
    """What was seen of operators. None means: it could not be read."""

    issuers: Mapping[str, Issuer] | None = None
    """`ClusterIssuer/name`, and `Issuer/name` of the stack's namespace."""
    metallb: str | None = None
    """The image of MetalLB's controller."""
    taints: Mapping[str, tuple[Taint, ...]] | None = None
    """Node name -> taints that keep pods away."""
    daemon_sets: frozenset[str] | None = None
    """Names of the DaemonSets of all namespaces, which tell what the cluster is built of."""
    pools: Mapping[str, tuple[str, ...]] | None = None
    """Pool of MetalLB -> its ranges."""
    announces_anywhere: bool = False
    """Whether MetalLB is told to announce from nodes too that are kept from load balancers (--ignore-exclude-lb)."""
    readers: tuple[Reader, ...] | None = None
    """Every Prometheus that an operator keeps."""


def cluster_operators(settings: Settings, facts: OperatorFacts) -> Iterator[Finding]:
    """Findings about issuers and tainted nodes; what could not be read is not judged."""
    yield from _issuer(settings, facts)
    yield from _taints(settings, facts)


def _issuer(settings: Settings, facts: OperatorFacts) -> Iterator[Finding]:
    tls = settings.tls
    if tls.issuer != "existing" or facts.issuers is None:
        return
    asked = f"{tls.kind}/{tls.name}"
    issuer = facts.issuers.get(asked)
    if issuer is None:
        known = sorted(each.partition("/")[2] for each in facts.issuers if each.startswith(f"{tls.kind}/"))
        yield rules.ISSUER_UNKNOWN.found(
            kind=tls.kind, name=tls.name, issuers=", ".join(known) or "(there is none)"
        )
        return
    if not issuer.ready:
        yield rules.ISSUER_NOT_READY.found(kind=tls.kind, name=tls.name)
    names = certified(settings).every
    by_http = issuer.by_http(names, CERTIFICATE_LABELS)
    if by_http and not settings.http_challenges:
        yield rules.ISSUER_HTTP.found(kind=tls.kind, name=tls.name, names=some(by_http))
    elif away := elsewhere(settings, by_http):
        yield rules.ISSUER_HTTP_ELSEWHERE.found(kind=tls.kind, name=tls.name, names=some(away))
    if unproven := issuer.unproven(names, CERTIFICATE_LABELS):
        yield rules.ISSUER_SOLVERS.found(kind=tls.kind, name=tls.name, names=some(unproven))


def _taints(settings: Settings, facts: OperatorFacts) -> Iterator[Finding]:
    named = [("kolab:network.edgeNode", settings.network.edge_node)]
    named += [(f"kolab:network.egress.nodes.{node}", node) for node in topology.postfix_nodes(settings)]
    for path, node in named:
        for taint in kept_away(settings, facts, node or ""):
            value = f", value: {taint.value}" if taint.value else ", operator: Exists"
            yield rules.NODE_TAINTED.found(
                path=path,
                node=node,
                key=taint.key,
                effect=taint.effect,
                entry=f"{{key: {taint.key}{value}}}",
            )


def kept_away(settings: Settings, facts: OperatorFacts, node: str) -> Iterator[Taint]:
    """The taints of a node that keep the stack's pods away."""
    for taint in (facts.taints or {}).get(node, ()):
        if not any(_tolerates(each, taint) for each in settings.kubernetes.tolerations):
            yield taint


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Kubernetes: core/v1 helpers, ToleratesTaint."""
    return (
        toleration.key == taint.key
        and toleration.effect in (None, taint.effect)
        and (toleration.operator == "Exists" or (toleration.value or "") == taint.value)
    )
