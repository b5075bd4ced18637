"""TLSA: the key of port 25, pinned by DNSSEC (DANE, RFC 7672)."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.rdata import TLSA
from model.identity.record import Record
from model.names import Names
from model.settings import Settings

ANNOUNCED_TTLS = 2
"""So many TTLs the next key stands in DNS before it is used (RFC 7671 section 8.1)."""


def name(settings: Settings) -> str:
    """Where senders look: port 25 of the MX name (RFC 7672 section 2.2.3)."""
    return f"_25._tcp.{Names.of(settings).mx}"


def records(settings: Settings) -> Iterator[Record]:
    """`3 1 1` of the current key and of the next one. None in an unsigned zone, where senders would not look.

    Usage 3 with the public key survives renewals of the certificate as long as the key stays, and the next key
    is published before it is used (RFC 7671 sections 5.1 and 8.1).
    """
    keys = settings.tlsa
    if keys is None or not settings.dns.dnssec:
        return
    at = name(settings)
    yield Record(at, TLSA(3, 1, 1, keys.current), settings.dns.ttl, "Key that port 25 shows now.")
    if keys.next:
        yield Record(at, TLSA(3, 1, 1, keys.next), settings.dns.ttl, "Key that port 25 shows next.")
