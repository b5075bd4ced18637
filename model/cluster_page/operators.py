"""What operators bring: addresses, certificates, volumes, and other ways to serve websites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from model.cluster_page.row import PLAIN, Row, some, unknown
from model.images import tag_of
from model.ingress import CONTROLLERS, kind_of
from model.issuers import Issuer
from model.metallb import too_old
from model.monitoring.operator import CRDS
from model.rules.cluster import ClusterFacts
from model.rules.cluster_gateways import NEEDED
from model.rules.cluster_ports import numbers, wanted
from model.selectors import written


def operators(facts: ClusterFacts) -> Iterator[Row]:
    """In the order in which a stack file asks for them."""
    yield from _ways_in(facts)
    yield _certificates(facts)
    yield _storage(facts)
    yield from _websites(facts)
    yield from _monitoring(facts)


def _ways_in(facts: ClusterFacts) -> Iterator[Row]:
    if facts.crds is None:
        yield unknown("load balancer")
    elif "ipaddresspools.metallb.io" not in facts.crds:
        then = (
            "install MetalLB, or set network.loadBalancer: hostPort on a server whose only address is its own"
        )
        yield Row(about="load balancer", seen="no MetalLB", verdict="missing", then=then)
    else:
        yield _metallb(facts.operators.metallb or "", facts.operators.pools or {})
        if facts.service_lb:
            then = "start k3s with --disable servicelb"
            yield Row(about="load balancer", seen="k3s' ServiceLB beside it", verdict="missing", then=then)
    for holder, held in wanted(PLAIN, facts.held_ports or ()).items():
        then = "with network.loadBalancer: hostPort the stack needs them itself"
        yield Row(about="ports of nodes", seen=f"{holder} holds {numbers(held)}", verdict="fits", then=then)


def _metallb(image: str, pools: Mapping[str, tuple[str, ...]]) -> Row:
    old = too_old(image)
    names = [f"{name} {' '.join(entries)}" for name, entries in sorted(pools.items())]
    beside = "a stack makes a pool of its own, of addresses that no other pool holds: take them elsewhere, or out of one first"
    return Row(
        about="load balancer",
        seen=f"MetalLB {tag_of(image) or '(version unknown)'}; pools: {some(names) or 'none'}",
        verdict="missing" if old else "fits",
        then=f"bring it to {old} or later" if old else beside if pools else "",
    )


def _certificates(facts: ClusterFacts) -> Row:
    if facts.crds is None:
        return unknown("certificates")
    if "certificates.cert-manager.io" not in facts.crds:
        then = "install cert-manager, or bring certificates of your own (tls.issuer: secrets)"
        return Row(about="certificates", seen="no cert-manager", verdict="missing", then=then)
    if not facts.operators.issuers:
        then = "the stack makes an issuer of its own (tls.issuer: acme), or name yours once it is there"
        return Row(about="certificates", seen="cert-manager without issuers", verdict="fits", then=then)
    issuers = sorted(facts.operators.issuers.items())
    described = [f"{name}{_doubts(issuer)}" for name, issuer in issuers]
    usable = [issuer for _, issuer in issuers if not _by_http(issuer)]
    if not usable:
        then = "name one with tls.challenge: http, give it a DNS-01 solver, or use tls.issuer: acme"
    elif not any(issuer.ready for issuer in usable):
        then = "kubectl describe the one that the stack is to use: no certificate comes before it is ready"
    else:
        then = ""
    return Row(about="certificates", seen=some(described), verdict="say" if then else "fits", then=then)


def _doubts(issuer: Issuer) -> str:
    """What the stack file has to take into account, or the operator to mend."""
    found = [*(["HTTP-01 only"] if _by_http(issuer) else []), *([] if issuer.ready else ["not ready"])]
    return f" ({', '.join(found)})" if found else ""


def _by_http(issuer: Issuer) -> bool:
    """Whether it proves every name by a file on port 80."""
    return bool(issuer.solvers) and all(each.http for each in issuer.solvers)


def _storage(facts: ClusterFacts) -> Row:
    if facts.storage_classes is None:
        return unknown("storage classes")
    names = [
        f"{name}{' (default)' if default else ''}" for name, default in sorted(facts.storage_classes.items())
    ]
    if not names:
        then = "install a provisioner; k3s brings local-path"
        return Row(about="storage classes", seen="none", verdict="missing", then=then)
    default = any(facts.storage_classes.values())
    then = "" if default else "none is the default: name a storageClass for every volume"
    return Row(about="storage classes", seen=some(names), verdict="fits" if default else "say", then=then)


def _websites(facts: ClusterFacts) -> Iterator[Row]:
    for name, controller in sorted((facts.ingress_classes or {}).items()):
        kind = kind_of(controller)
        then = (
            f"network.ingress: {{className: {name}, controller: {kind}, ...}}, if it is to serve the websites"
            if kind
            else f"the stack does not know {controller or 'its controller'}; one that is {' or '.join(CONTROLLERS)} under a name of its own is named so in network.ingress.controller"
        )
        yield Row(
            about="Ingress class", seen=f"{name} ({controller or 'no controller'})", verdict="fits", then=then
        )
    for name, controller in sorted((facts.gateways.classes or {}).items()):
        lacks = [
            each for each in NEEDED if facts.gateways.kinds is not None and each not in facts.gateways.kinds
        ]
        then = (
            f"network.gateway needs {' and '.join(lacks)} of Gateway API 1.4"
            if lacks
            else "network.gateway, if a Gateway of it is to serve the websites"
        )
        yield Row(about="Gateway class", seen=f"{name} ({controller})", verdict="fits", then=then)
    for at, seen in sorted((facts.gateways.gateways or {}).items()):
        namespace, _, name = at.partition("/")
        ends = [each.name for each in seen.listeners if each.protocol == "HTTPS" and not each.passthrough]
        then = (
            f"network.gateway: {{name: {name}, namespace: {namespace}, listeners: [{', '.join(ends)}], ...}}, if it is to serve the websites"
            if ends
            else "it has no listener that ends TLS, and can serve no websites of the stack"
        )
        where = f" at {', '.join(seen.addresses)}" if seen.addresses else ""
        yield Row(
            about="Gateway", seen=f"{at} of the class {seen.gateway_class}{where}", verdict="fits", then=then
        )


def _monitoring(facts: ClusterFacts) -> Iterator[Row]:
    if facts.crds is None or not {*CRDS} & facts.crds:
        return
    if missing := [each for each in CRDS if each not in facts.crds]:
        then = f"the stack watches itself; monitoring.mode: prometheus-operator needs {' and '.join(missing)} as well"
        yield Row(about="monitoring", seen="prometheus-operator, incomplete", verdict="fits", then=then)
        return
    names = [
        f"Prometheus {each.name} (rules: {'none' if each.rules is None else written(each.rules)})"
        for each in facts.operators.readers or ()
    ]
    then = "monitoring.mode: prometheus-operator, if it is to watch the stack"
    yield Row(about="monitoring", seen=some(names) or "prometheus-operator", verdict="fits", then=then)
