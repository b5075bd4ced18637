"""Whether the Gateway of the stack file is there, speaks TLS both ways, and takes routes of our namespace and our hosts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model.catalogue import gateways as rules
from model.findings import Finding, some
from model.identity.http01 import certified
from model.names import Names
from model.selectors import Selector, of_namespace, selects
from model.settings import Gateway, Settings
from model.topology import controller_ports

NEEDED = ("backendtlspolicies", "gateways", "httproutes")
"""Kinds of gateway.networking.k8s.io/v1 that a stack behind a Gateway makes or names."""
_GRANTS = "referencegrants.gateway.networking.k8s.io"
_BACKEND_TLS = "BackendTLSPolicy"


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A listener of a Gateway."""

    name: str
    protocol: str
    hostname: str | None = None
    """None takes every host."""
    passthrough: bool = False
    """Whether TLS goes on to whatever stands behind it."""
    takes: str = "Same"
    """From which namespaces it takes routes: All, Same, Selector or None."""
    namespaces: Selector = None
    """Which, with Selector."""
    http_routes: bool = True
    """Whether it takes HTTPRoutes."""
    secrets: tuple[str, ...] = ()
    """`namespace/name` of the certificates that it shows."""


@dataclass(frozen=True, kw_only=True)
class SeenGateway:
    """A Gateway as a cluster has it."""

    namespace: str
    gateway_class: str
    listeners: tuple[Listener, ...]
    refused: str | None = None
    """The condition that it says of itself that it does not fulfil."""
    addresses: tuple[str, ...] = ()

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> SeenGateway:
        """From the object (Gateway API: Gateway, v1)."""
        namespace, spec = found["metadata"]["namespace"], found["spec"]
        status = found.get("status") or {}
        unmet = (
            each["type"]
            for each in status.get("conditions") or ()
            if each.get("type") in ("Accepted", "Programmed") and each.get("status") == "False"
        )
        return cls(
            namespace=namespace,
            gateway_class=spec["gatewayClassName"],
            listeners=tuple(_listener(each, namespace) for each in spec.get("listeners") or ()),
            refused=next(unmet, None),
            addresses=tuple(str(each.get("value")) for each in status.get("addresses") or ()),
        )


def _listener(found: Mapping[str, Any], namespace: str) -> Listener:
    allowed, tls = found.get("allowedRoutes") or {}, found.get("tls") or {}
    spaces = allowed.get("namespaces") or {}
    kinds = [each.get("kind") for each in allowed.get("kinds") or ()]
    return Listener(
        name=found["name"],
        protocol=found["protocol"],
        hostname=found.get("hostname") or None,
        passthrough=tls.get("mode") == "Passthrough",
        takes=spaces.get("from") or "Same",
        namespaces=spaces.get("selector"),
        http_routes=not kinds or "HTTPRoute" in kinds,
        secrets=tuple(
            f"{each.get('namespace') or namespace}/{each['name']}"
            for each in tls.get("certificateRefs") or ()
            if (each.get("kind") or "Secret") == "Secret"
        ),
    )


@dataclass(frozen=True, kw_only=True)
class GatewayFacts:
    """What was seen of the Gateway API. None means: it could not be read."""

    kinds: frozenset[str] | None = None
    """Kinds of gateway.networking.k8s.io/v1 that the cluster serves, as their addresses call them."""
    classes: Mapping[str, str] | None = None
    """Class -> the controller that serves it."""
    features: Mapping[str, frozenset[str]] | None = None
    """Class -> what its controller says that it supports; nothing for one that does not say it."""
    gateways: Mapping[str, SeenGateway] | None = None
    """`namespace/name` -> Gateway."""


def cluster_gateways(
    settings: Settings, crds: frozenset[str] | None, facts: GatewayFacts
) -> Iterator[Finding]:
    """Findings about the Gateway of the stack file; what could not be read is not judged."""
    asked = settings.network.gateway
    if asked is None or crds is None:
        return
    missing = [each for each in NEEDED if facts.kinds is not None and each not in facts.kinds]
    if _GRANTS not in crds and _granted(settings, asked):
        missing.append("referencegrants")
    if missing:
        yield rules.KINDS.found(kinds=" and ".join(missing))
        return
    if facts.gateways is None:
        return
    seen = facts.gateways.get(f"{asked.namespace}/{asked.name}")
    if seen is None:
        known = ", ".join(sorted(facts.gateways)) or "(there is none)"
        yield rules.UNKNOWN.found(name=asked.name, namespace=asked.namespace, gateways=known)
        return
    offered = (facts.features or {}).get(seen.gateway_class)
    if offered and _BACKEND_TLS not in offered:
        controller = (facts.classes or {}).get(seen.gateway_class) or "unknown"
        yield rules.BACKEND_TLS.found(name=asked.name, chosen=seen.gateway_class, controller=controller)
    if seen.refused:
        yield rules.NOT_READY.found(
            name=asked.name, namespace=asked.namespace, condition=seen.refused.lower()
        )
    yield from _listeners(settings, asked, seen)


def controllers(settings: Settings, pods: Mapping[str, frozenset[int]] | None) -> Iterator[Finding]:
    """Whether the network that is believed about clients has every pod of who serves the websites, an Ingress controller included.

    `pods` are those of its namespace: address -> TCP ports that it declares. Those that have one on which policies let a
    controller in are its own; where none says so, any of them may be.
    """
    if settings.network.web_server is None or not pods:
        return
    key, server = settings.network.web_server
    served = {port.number for port in controller_ports(settings)}
    own = [address for address, ports in pods.items() if ports & served]
    outside = [
        address for address in own or pods if ipaddress.ip_address(address) not in server.controller_cidr
    ]
    if outside:
        yield rules.CONTROLLER_CIDR.found(
            key=key,
            given=server.controller_cidr,
            namespace=server.pods,
            which=f"that listen on {' or '.join(map(str, sorted(served)))}"
            if own
            else "which may serve them",
            found=some(sorted(outside)),
        )


def _granted(settings: Settings, asked: Gateway) -> bool:
    return asked.certificates == "stack" and asked.namespace != settings.kubernetes.namespace


def _listeners(settings: Settings, asked: Gateway, seen: SeenGateway) -> Iterator[Finding]:
    by_name = {each.name: each for each in seen.listeners}
    named = [("listeners", name) for name in asked.listeners]
    named += [("redirect", asked.redirect)] if asked.redirect else []
    for key, name in named:
        listener = by_name.get(name)
        if listener is None:
            known = ", ".join(sorted(by_name)) or "(there is none)"
            yield rules.LISTENER.found(key=key, listener=name, name=asked.name, listeners=known)
            continue
        yield from _protocol(key, listener)
        if not _takes(settings, seen, listener):
            namespace = settings.kubernetes.namespace
            yield rules.ROUTES.found(key=key, listener=name, namespace=namespace)
    found = [by_name[name] for name in asked.listeners if name in by_name]
    if len(found) < len(asked.listeners):
        return
    # A hosted domain itself is in nobody's certificate here: its owner has a website there.
    shown = {*Names.of(settings).web} & {*certified(settings).every}
    unserved = [
        host
        for host in Names.of(settings).web
        if host in shown and not any(_is_for(each, host) for each in found)
    ]
    if unserved:
        yield rules.HOSTS.found(listeners=", ".join(asked.listeners), hosts=some(unserved))
    if asked.certificates == "gateway":
        yield from _certificates(settings, asked, found)


def _protocol(key: str, listener: Listener) -> Iterator[Finding]:
    name, protocol = listener.name, listener.protocol
    if key == "redirect":
        if protocol != "HTTP":
            yield rules.LISTENER_REDIRECT.found(listener=name, protocol=protocol)
    elif listener.passthrough or protocol == "TLS":
        yield rules.LISTENER_PASSTHROUGH.found(listener=name, protocol=protocol)
    elif protocol != "HTTPS":
        yield rules.LISTENER_PLAIN.found(listener=name, protocol=protocol)


def _takes(settings: Settings, seen: SeenGateway, listener: Listener) -> bool:
    """Whether a listener takes our routes (Gateway API: AllowedRoutes)."""
    ours = settings.kubernetes.namespace
    match listener.takes:
        case "All":
            fits = True
        case "Same":
            fits = seen.namespace == ours
        case "Selector":
            fits = listener.namespaces is not None and selects(listener.namespaces, of_namespace(ours))
        case _:
            fits = False
    return fits and listener.http_routes


def _is_for(listener: Listener, host: str) -> bool:
    """A wildcard is for whatever lies below it, and not for the name itself (Gateway API: Listener, hostname)."""
    wanted = listener.hostname
    return wanted is None or wanted == host or (wanted.startswith("*.") and host.endswith(wanted[1:]))


def _certificates(settings: Settings, asked: Gateway, found: Iterable[Listener]) -> Iterator[Finding]:
    ours = settings.kubernetes.namespace
    if asked.namespace == ours:
        return
    for listener in found:
        for secret in listener.secrets:
            if secret.startswith(f"{ours}/"):
                yield rules.CERTIFICATE.found(listener=listener.name, secret=secret)
