"""Networks of a stack file: each says whom daemons believe or where pods may go, so none may be wider than it has to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from model.catalogue import addresses as rules
from model.findings import Finding
from model.settings import Settings
from model.topology import METADATA, smarthost
from model.types import DOCUMENTATION

Net = ipaddress.IPv4Network | ipaddress.IPv6Network

_INSIDE = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "fc00::/7",
    )
)
"""Ranges that no host of the Internet has (RFC 1918, RFC 6598, RFC 2544, RFC 1112, RFC 4193)."""

_METADATA = tuple(map(ipaddress.ip_network, METADATA))


def _within(net: Net, ranges: tuple[Net, ...]) -> bool:
    return any(net.version == each.version and net.subnet_of(each) for each in ranges)  # type: ignore[arg-type]


def is_private(net: Net) -> bool:
    """Whether no host of the Internet has an address of it."""
    return _within(net, _INSIDE)


def is_too_wide(net: Net) -> bool:
    """Whether no cluster has so large a range."""
    return net.prefixlen < (8 if net.version == 4 else 32)


def _overlap(one: Net, other: Net) -> bool:
    return one.version == other.version and one.overlaps(other)


def cluster_ranges(settings: Settings) -> Iterator[Finding]:
    """Pods and Services have private ranges: what is in them is believed by daemons, and reached by nobody outside."""
    network = settings.network
    for key, net in (("podCidr", network.pod_cidr), ("serviceCidr", network.service_cidr)):
        if not is_private(net):
            yield rules.NETWORK_PUBLIC.found(key=key, net=net)
        elif is_too_wide(net) or net.prefixlen > (28 if net.version == 4 else 124):
            yield rules.NETWORK_SIZE.found(key=key, net=net)
    if _overlap(network.pod_cidr, network.service_cidr):
        yield rules.NETWORK_OVERLAP.found(net=network.service_cidr)


def _named(settings: Settings) -> Iterator[tuple[str, Net]]:
    external, front = settings.external, settings.network.web_server
    for name, engine in (("database", external.database), ("redis", external.redis), ("s3", external.s3)):
        if engine is not None:
            yield f"kolab:external.{name}.cidr", engine.cidr
    if front is not None:
        yield f"kolab:network.{front[0]}.controllerCidr", front[1].controller_cidr
    inside, relay = settings.network.internal_peers, smarthost(settings)
    for path, networks in (
        ("kolab:network.internalPeers.web", inside.web),
        ("kolab:network.internalPeers.smtp", inside.smtp),
        ("kolab:network.egress.networks", relay.networks if relay else ()),
        ("kolab:backup.repository.networks", settings.backup.repository.networks if settings.backup else ()),
        ("kolab:kubernetes.api.networks", settings.kubernetes.api.networks),
    ):
        yield from ((f"{path}[{index}]", network) for index, network in enumerate(networks))


def named_ranges(settings: Settings) -> Iterator[Finding]:
    """A range that is let through or believed names its hosts, and not half of the world."""
    network = settings.network
    for path, net in _named(settings):
        least = _least(net)
        # Storage services have large ranges; a few pods in front of the proxy have not.
        if "controllerCidr" in path and not is_private(net):
            least = 24 if net.version == 4 else 56
        if net.is_loopback or net.is_link_local or net.is_multicast or net.is_unspecified:
            yield rules.NETWORK_KIND.found(path=path, net=net)
        elif net in _METADATA:
            yield rules.NETWORK_METADATA.found(path=path, net=net)
        elif net.prefixlen < least:
            yield rules.NETWORK_BROAD.found(path=path, net=net, least=least)
        elif any(
            _overlap(net, cluster) and net.prefixlen < cluster.prefixlen
            for cluster in (network.pod_cidr, network.service_cidr)
        ):
            yield rules.NETWORK_HOLDS_CLUSTER.found(path=path, net=net)
        elif _overlap(net, network.service_cidr):
            yield rules.NETWORK_OF_SERVICES.found(path=path, net=net)


def _least(net: Net) -> int:
    if is_private(net) or _within(net, DOCUMENTATION):
        return 8 if net.version == 4 else 32
    return 12 if net.version == 4 else 28


RULES = (cluster_ranges, named_ranges)
