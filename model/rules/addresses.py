"""Which address carries what."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from model.findings import Finding
from model.settings import Settings
from model.topology import egress_addresses, load_balancer_addresses, public_addresses, public_services
from model.types import DOCUMENTATION

_AT = "kolab:network.addresses"


def mode_and_addresses(settings: Settings) -> Iterator[Finding]:
    """single-node has one address for everything; cluster has one for each public daemon."""
    given = settings.network.addresses
    separate = [name for name in ("proxy", "smtp", "turn", "sieve", "meet") if getattr(given, name)]
    if settings.single_node:
        if given.all is None:
            yield Finding(
                rule="address-missing",
                path=f"{_AT}.all",
                problem="is missing in single-node mode",
                fix="give the one address that carries every port, e.g. addresses: {all: 203.0.113.10}",
            )
        for name in separate:
            yield Finding(
                rule="address-mode",
                path=f"{_AT}.{name}",
                problem="has no meaning in single-node mode",
                fix="remove it and use all:, or set kolab:mode to cluster",
            )
        return
    if given.all is not None:
        yield Finding(
            rule="address-mode",
            path=f"{_AT}.all",
            problem="has no meaning in cluster mode",
            fix="give proxy, smtp, sieve and turn an address each: with policy Local one address cannot reach pods on several nodes",
        )
    needed = public_services(settings)
    for name in needed:
        if not getattr(given, name):
            instead = ", or set features.meet: false" if name in ("meet", "turn") else ""
            yield Finding(
                rule="address-missing",
                path=f"{_AT}.{name}",
                problem="is missing in cluster mode",
                fix=f"choose an address of the load balancer's range for it, e.g. {name}: 203.0.113.10{instead}",
            )
    for name in separate:
        if name not in needed:
            yield Finding(
                rule="address-unused",
                path=f"{_AT}.{name}",
                severity="warning",
                problem="is given, but nothing listens there with these features",
                fix="remove it, or switch the feature on",
            )


def _given(settings: Settings) -> Iterator[tuple[str, str]]:
    """Key below network.addresses and address, for every one that is written there."""
    for name in ("all", "proxy", "smtp", "turn", "sieve", "meet"):
        value = getattr(settings.network.addresses, name)
        yield from (
            (name, str(a)) for a in (value if isinstance(value, tuple) else (value,)) if a is not None
        )


def one_address_one_daemon(settings: Settings) -> Iterator[Finding]:
    """With policy Local, MetalLB shares an address only between Services with the same pods (metallb internal/allocator)."""
    if settings.single_node:
        return
    owner: dict[str, str] = {}
    for name, address in _given(settings):
        if owner.setdefault(address, name) != name:
            yield Finding(
                rule="address-shared",
                path=f"{_AT}.{name}",
                problem=f"is {address}, which {owner[address]} has already",
                fix="give each daemon its own address: on a shared one MetalLB would leave the second without any, or lose client addresses",
            )


def real_addresses(settings: Settings) -> Iterator[Finding]:
    """No documentation, pod, Service, loopback or multicast address may become public."""
    cluster = (settings.network.pod_cidr, settings.network.service_cidr)
    listed = [
        (f"{_AT}.{'all' if settings.single_node else service}", a)
        for service, found in load_balancer_addresses(settings).items()
        for a in found
    ]
    mapped = settings.network.public.items()
    listed += [(f"kolab:network.public.{inside}", str(outside)) for inside, outside in mapped]
    listed += [("kolab:network.egress", a) for a in egress_addresses(settings)]
    if settings.network.ingress:
        listed += [("kolab:network.ingress.addresses", str(a)) for a in settings.network.ingress.addresses]
    for path, text in sorted(set(listed)):
        address = ipaddress.ip_address(text)
        if any(address in net for net in cluster if net.version == address.version):
            yield Finding(
                rule="address-in-cluster",
                path=path,
                problem=f"is {address}, inside the pods' or Services' range",
                fix="use an address outside of network.podCidr and network.serviceCidr",
            )
        elif address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local:
            yield Finding(
                rule="address-kind",
                path=path,
                problem=f"is {address}, which no client can reach",
                fix="use a unicast address",
            )
        elif not settings.example and any(
            address in net for net in DOCUMENTATION if net.version == address.version
        ):
            yield Finding(
                rule="address-documentation",
                path=path,
                problem=f"is {address}, a documentation address",
                fix="replace it by your own address; only stacks marked kolab:example may use it",
                source="RFC 5737",
            )


def public_side(settings: Settings) -> Iterator[Finding]:
    """The public side of each address must be an address that the Internet routes."""
    groups = load_balancer_addresses(settings).values()
    written = {address for _, address in _given(settings)}
    complete = all(groups) and (settings.single_node or len(set().union(*groups)) == sum(map(len, groups)))
    for inside in map(str, settings.network.public):
        # As long as an address is missing or given twice, this line may be the one that belongs to it.
        if inside not in written and complete:
            yield Finding(
                rule="public-unclaimed",
                path=f"kolab:network.public.{inside}",
                problem="maps an address that is not under network.addresses",
                fix="add it under network.addresses, or remove the line",
            )
    for service, found in public_addresses(settings).items():
        for text in found:
            address = ipaddress.ip_address(text)
            documentation = any(address in net for net in DOCUMENTATION if net.version == address.version)
            if not address.is_global and not documentation and not settings.example:
                key = "all" if settings.single_node else service
                yield Finding(
                    rule="address-private",
                    path=f"{_AT}.{key}",
                    severity="warning",
                    problem=f"is {address}, which the Internet does not route, and network.public does not map it",
                    fix=f"add network.public: {{{address}: <public address>}}, or acknowledge it for a closed network",
                )


def ipv6(settings: Settings) -> Iterator[Finding]:
    """Only Postfix listens on IPv6 (upstream: mail and sieve listeners are IPv4 literals)."""
    given = settings.network.addresses
    for name in ("all", "proxy", "turn", "sieve", "meet"):
        address = getattr(given, name)
        if address is not None and address.version == 6:
            yield Finding(
                rule="ipv6-not-listening",
                path=f"{_AT}.{name}",
                problem="is an IPv6 address, but the daemons behind it listen on IPv4 only",
                fix="use an IPv4 address; smtp may have an IPv6 address beside its IPv4 one",
            )
    versions = [address.version for address in given.smtp]
    if (given.smtp and versions.count(4) != 1) or versions.count(6) > 1:
        yield Finding(
            rule="address-family",
            path=f"{_AT}.smtp",
            problem="must hold one IPv4 address and at most one IPv6 address",
            fix="write smtp: [203.0.113.11, 2001:db8::11]",
        )


RULES = (mode_and_addresses, one_address_one_daemon, real_addresses, public_side, ipv6)
