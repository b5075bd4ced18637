"""PTR: the name of every address that our mail leaves from, forward-confirmed by construction (RFC 8601 section 2.7.3)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator

from model.identity.place import reverse_zones, zone_of
from model.identity.rdata import PTR
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from model.topology import egress_addresses

_CHILD = re.compile(r"^(\d{1,3})([-/])(\d{1,3})\.(\d{1,3}\.\d{1,3}\.\d{1,3}\.in-addr\.arpa)$")


def reverse_name(address: str, zones: Collection[str] = ()) -> str:
    """Owner of the PTR of `address`: in-addr.arpa or ip6.arpa, or its place in one of `zones` of RFC 2317.

    The owner of the address block points its own reverse name there with a CNAME (RFC 2317 section 4).
    """
    plain = ipaddress.ip_address(address).reverse_pointer
    octet, _, above = plain.partition(".")
    if plain.endswith(".in-addr.arpa") and zone_of(plain, zones) is None:
        for zone in zones:
            if _covers(zone, int(octet), above):
                return f"{octet}.{zone}"
    return plain


def _covers(zone: str, octet: int, above: str) -> bool:
    """Whether a child zone named `0-15.2.0.192...` (first-last) or `0/28.2.0.192...` (first/bits) holds the octet."""
    match = _CHILD.match(zone)
    if match is None or match[4] != above:
        return False
    first, second = int(match[1]), int(match[3])
    last = second if match[2] == "-" else first + 2 ** (32 - second) - 1 if 24 <= second <= 32 else -1
    return first <= octet <= last


def records(settings: Settings) -> Iterator[Record]:
    """One PTR per egress address, to the HELO name. With a relay the world never sees our addresses: none."""
    helo, zones = Names.of(settings).helo, reverse_zones(settings)
    for address in egress_addresses(settings, announced=True):
        yield Record(
            reverse_name(address, zones),
            PTR(helo),
            settings.dns.ttl,
            f"Receivers look up {address} and refuse mail when its name does not lead back to it.",
        )
