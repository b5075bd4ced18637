"""Which address carries what."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from model.catalogue import addresses as rules
from model.findings import Finding
from model.settings import Settings
from model.topology import egress_addresses, load_balancer_addresses, public_addresses, public_services
from model.types import DOCUMENTATION

_AT = "kolab:network.addresses"


def mode_and_addresses(settings: Settings) -> Iterator[Finding]:
    """single-node has one address for everything; cluster has one for each public daemon."""
    given = settings.network.addresses
    separate = [name for name in given.services() if given.of(name)]
    if settings.single_node:
        if not given.all:
            yield rules.ADDRESS_MISSING.found()
        for name in separate:
            yield rules.ADDRESS_MODE.found(name=name)
        return
    if given.all:
        yield rules.ADDRESS_MODE_CLUSTER.found()
    needed = public_services(settings)
    for name in needed:
        if not given.of(name):
            instead = ", or set features.meet: false" if name in ("meet", "turn") else ""
            yield rules.ADDRESS_MISSING_CLUSTER.found(name=name, instead=instead)
    for name in separate:
        if name not in needed:
            yield rules.ADDRESS_UNUSED.found(name=name)


def _given(settings: Settings) -> Iterator[tuple[str, str]]:
    """Key below network.addresses and address, for every one that is written there."""
    given = settings.network.addresses
    for name in ("all", *given.services()):
        yield from ((name, str(address)) for address in given.of(name))


def one_address_one_daemon(settings: Settings) -> Iterator[Finding]:
    """With policy Local, MetalLB shares an address only between Services with the same pods (metallb internal/allocator)."""
    if settings.single_node:
        return
    owner: dict[str, str] = {}
    for name, address in _given(settings):
        if owner.setdefault(address, name) != name:
            yield rules.ADDRESS_SHARED.found(name=name, address=address, owner=owner[address])


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
    if settings.network.web_server:
        key, server = settings.network.web_server
        listed += [(f"kolab:network.{key}.addresses", str(address)) for address in server.addresses]
    for path, text in sorted(set(listed)):
        address = ipaddress.ip_address(text)
        if any(address in net for net in cluster if net.version == address.version):
            yield rules.ADDRESS_IN_CLUSTER.found(path=path, address=address)
        elif address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local:
            yield rules.ADDRESS_KIND.found(path=path, address=address)
        elif not settings.example and any(
            address in net for net in DOCUMENTATION if net.version == address.version
        ):
            yield rules.ADDRESS_DOCUMENTATION.found(path=path, address=address)


def public_side(settings: Settings) -> Iterator[Finding]:
    """The public side of each address must be an address that the Internet routes."""
    groups = load_balancer_addresses(settings).values()
    written = {address for _, address in _given(settings)}
    complete = all(groups) and (settings.single_node or len(set().union(*groups)) == sum(map(len, groups)))
    for inside in map(str, settings.network.public):
        # As long as an address is missing or given twice, this line may be the one that belongs to it.
        if inside not in written and complete:
            yield rules.PUBLIC_UNCLAIMED.found(inside=inside)
    for service, found in public_addresses(settings).items():
        for text in found:
            address = ipaddress.ip_address(text)
            documentation = any(address in net for net in DOCUMENTATION if net.version == address.version)
            if not address.is_global and not documentation and not settings.example:
                key = "all" if settings.single_node else service
                yield rules.ADDRESS_PRIVATE.found(key=key, address=address)


def ipv6(settings: Settings) -> Iterator[Finding]:
    """Only Postfix listens on IPv6 (upstream: mail and sieve listeners are IPv4 literals)."""
    given = settings.network.addresses
    for name in given.services():
        if name != "smtp" and any(address.version == 6 for address in given.of(name)):
            yield rules.IPV6_NOT_LISTENING.found(name=name)
    for name in ("all", "smtp"):
        addresses = given.of(name)
        versions = [address.version for address in addresses]
        if (addresses and versions.count(4) != 1) or versions.count(6) > 1:
            yield rules.ADDRESS_FAMILY.found(name=name)


RULES = (mode_and_addresses, one_address_one_daemon, real_addresses, public_side, ipv6)
