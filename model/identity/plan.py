"""Who publishes what: every record of the stack, sorted into our zones, sheets for owners, and humans' work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from model.identity import (
    caa,
    dkim,
    dmarc,
    hosts,
    mta_sts,
    mx,
    nullmx,
    ptr,
    spf,
    srv,
    tls_rpt,
    tlsa,
    verify,
)
from model.identity.hosted import delegate
from model.identity.place import foreign_domains, forward_zones, reverse_zones, zone_of
from model.identity.record import Record
from model.settings import Settings

_MECHANISMS = (hosts, mx, nullmx, spf, dkim, dmarc, mta_sts, tls_rpt, tlsa, srv, caa, verify, ptr)


@dataclass(frozen=True)
class Plan:
    """All records, each in exactly one place."""

    zones: dict[str, tuple[Record, ...]]
    """Zone of ours, reverse ones included -> its records (no SOA and NS: those belong to the servers)."""
    sheets: dict[str, tuple[Record, ...]]
    """Hosted domain in a zone of somebody else -> what its owner publishes."""
    elsewhere: tuple[Record, ...]
    """Records whose zone nobody named: PTR at the owner of the address, hosts in unknown zones."""

    @property
    def records(self) -> tuple[Record, ...]:
        """Everything that the world must see."""
        places = (*self.zones.values(), *self.sheets.values(), self.elsewhere)
        return tuple(record for place in places for record in place)


def plan(settings: Settings) -> Plan:
    """The plan for the present stage, in a stable order. Never raises: rules judge what cannot work."""
    zones = frozenset((*forward_zones(settings), *reverse_zones(settings)))
    foreign = frozenset(foreign_domains(settings))
    placed: dict[str, dict[Record, None]] = {
        zone: {} for zone in (*forward_zones(settings), *reverse_zones(settings))
    }
    ideal: dict[str, list[Record]] = {domain: [] for domain in foreign_domains(settings)}
    elsewhere: dict[Record, None] = {}
    for record in (record for mechanism in _MECHANISMS for record in mechanism.records(settings)):
        zone = zone_of(record.name, zones)
        owner = None if zone else zone_of(record.name, foreign)
        if zone:
            placed[zone].setdefault(record)
        elif owner:
            ideal[owner].append(record)
        else:
            elsewhere.setdefault(record)
    sheets = {}
    for domain, found in ideal.items():
        delegated = delegate(domain, found, settings)
        sheets[domain] = delegated.rows
        for body in delegated.bodies:
            zone = zone_of(body.name, zones)
            (placed[zone] if zone else elsewhere).setdefault(body)
    ordered = {zone: in_order(found) for zone, found in placed.items()}
    return Plan(ordered, {d: in_order(rows) for d, rows in sheets.items()}, in_order(elsewhere))


def in_order(records: Iterable[Record]) -> tuple[Record, ...]:
    """Records as a zone file lists them: parents before children, then by type and value (RFC 4034 section 6.1)."""
    return tuple(sorted(records, key=lambda r: (r.name.split(".")[::-1], _rank(r), r.content)))


def _rank(record: Record) -> int:
    return _ORDER.index(record.type)


_ORDER = ("NS", "A", "AAAA", "CNAME", "MX", "TXT", "CAA", "SRV", "TLSA", "PTR")
