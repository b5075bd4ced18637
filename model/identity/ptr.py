"""PTR: the name of every address that our mail leaves from, forward-confirmed by construction (RFC 8601 section 2.7.3)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping

from model.identity.place import Network, reverse_networks, reverse_zones, zone_of
from model.identity.rdata import PTR
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from model.topology import egress_addresses

_PARENT = re.compile(r"^([^.]+)\.((?:\d{1,3}\.){3}in-addr\.arpa)$")
_RANGE = re.compile(r"^(\d{1,3})([-_/])(\d{1,3})$")
_NUMBERS = re.compile(r"^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){1,4}in-addr\.arpa$")
_ZERO = re.compile(r"(?<![^.])0+(?=\d+\.)")
_NIBBLES = re.compile(r"^([0-9a-f]\.){1,32}ip6\.arpa$")
_OCTETS = range(256)


def reverse_name(
    address: str, zones: Collection[str] = (), networks: Mapping[str, Network] | None = None
) -> str:
    """Owner of the PTR of `address`: in-addr.arpa or ip6.arpa, or its place in one of `zones` of RFC 2317.

    Which addresses such a zone has is said by `networks` or by its name, and else it has those of the network that it
    is cut out of. The narrowest zone wins. The owner of the address block points its own reverse name there with a
    CNAME (RFC 2317 section 4).
    """
    plain = ipaddress.ip_address(address).reverse_pointer
    if not plain.endswith(".in-addr.arpa") or zone_of(plain, [*filter(_NUMBERS.match, zones)]) is not None:
        return plain
    octet, _, above = plain.partition(".")
    sizes = {
        zone: len(held)
        for zone in dict.fromkeys((*zones, *(networks or ())))
        if int(octet) in (held := octets(zone, above, networks or {}))
    }
    return f"{octet}.{min(sizes, key=lambda zone: sizes[zone])}" if sizes else plain


def octets(zone: str, above: str, networks: Mapping[str, Network]) -> range:
    """Last octets of the addresses below `above` (such as 2.0.192.in-addr.arpa) that `zone` of RFC 2317 has."""
    given = networks.get(zone)
    if given is not None:
        first = given.network_address
        fits = (
            given.version == 4 and given.prefixlen >= 24 and first.reverse_pointer.partition(".")[2] == above
        )
        start = int(first) % 256
        return range(start, start + given.num_addresses) if fits else range(0)
    child = _PARENT.match(zone)
    return _named(child[1]) if child and child[2] == above else range(0)


def _named(label: str) -> range:
    """`0-15` and `0/28` say which addresses a zone has, and so does a number alone; other labels say nothing."""
    if label.isdigit():
        return range(0)
    match = _RANGE.match(label)
    if match is None:
        return _OCTETS
    first, second = int(match[1]), int(match[3])
    if match[2] != "/" and first <= second:
        return range(first, second + 1) if second in _OCTETS else range(0)
    size = 2 ** (32 - second) if 24 <= second <= 32 else 0
    return range(first, first + size) if size and first % size == 0 and first in _OCTETS else range(0)


def says_its_addresses(zone: str) -> bool:
    """Whether the name alone tells what a reverse zone has."""
    child = _PARENT.match(zone)
    return bool(_NUMBERS.match(zone) or _NIBBLES.match(zone) or (child and len(_named(child[1]))))


def without_zeros(zone: str) -> str:
    """`zone` as reverse names are written: none has a number with zeros in front (RFC 1035 section 3.5)."""
    return _ZERO.sub("", zone) if zone.endswith(".in-addr.arpa") else zone


def name_of(settings: Settings, address: str) -> str:
    """Owner of the PTR of an egress address of this stack."""
    return reverse_name(address, reverse_zones(settings), reverse_networks(settings))


def records(settings: Settings) -> Iterator[Record]:
    """One PTR per egress address, to the HELO name. With a relay the world never sees our addresses: none."""
    helo = Names.of(settings).helo
    for address in egress_addresses(settings, announced=True):
        yield Record(
            name_of(settings, address),
            PTR(helo),
            settings.dns.ttl,
            f"Receivers look up {address} and refuse mail when its name does not lead back to it.",
        )
