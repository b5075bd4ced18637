"""Which zone a name belongs to, and which domains live in zones of somebody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator

from model.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def forward_zones(settings: Settings) -> tuple[str, ...]:
    """Forward zones that this stack fills. With zone files and none named, the primary domain is the zone."""
    dns = settings.dns
    if not dns.zones and dns.provider == "zonefile":
        return (settings.domain,)
    return tuple(dns.zones)


def reverse_zones(settings: Settings) -> tuple[str, ...]:
    """Reverse zones that this stack fills; none when a human sets PTR at the owner of the addresses."""
    ptr = settings.dns.ptr
    return tuple(ptr.zones) if ptr.provider == "zones" else ()


def reverse_networks(settings: Settings) -> dict[str, Network]:
    """Names below which reverse names lie -> the addresses that have theirs there."""
    ptr = settings.dns.ptr
    return dict(ptr.networks) if ptr.provider == "zones" else {}


def zone_of(name: str, zones: Collection[str]) -> str | None:
    """The zone that `name` is in: the longest that is a suffix of it, None when there is none."""
    return next((suffix for suffix in suffixes(name) if suffix in zones), None)


def suffixes(name: str) -> Iterator[str]:
    """`name` itself, its parent, and so on up to the top-level domain."""
    while name:
        yield name
        name = name.partition(".")[2]


def foreign_domains(settings: Settings) -> tuple[str, ...]:
    """Hosted domains in no zone of ours: their owners publish CNAMEs once, the bodies live with us."""
    zones = frozenset(forward_zones(settings))
    return tuple(d for d in settings.domains if d != settings.domain and zone_of(d, zones) is None)
