"""One zone as the text of a zone file (RFC 1035 section 5), for import or for servers of one's own.

SOA serial: a hash of everything else in the file, so the same records give the same file, without a clock. Hashes
do not grow, but secondaries only fetch what has grown (RFC 1982). Whoever loads these files into a primary with
secondaries passes the serial that is `served` now: the new one is then a step forward from it, whose width is taken
from the hash (1 to 2**31 - 1, what serial arithmetic accepts as "later"). Importers and dynamic update (RFC 2136)
ignore or keep the serial themselves.

NS: `dns.nameservers`. Without any the file names `nameservers-not-set.invalid`, which loads everywhere, answers
nowhere (RFC 2606), and is reported by the rule nameservers-unknown; importers of hosted DNS ignore it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from model.identity.place import forward_zones
from model.identity.plan import in_order
from model.identity.presentation import absolute
from model.identity.rdata import NS, address
from model.identity.record import Record
from model.settings import Settings

NO_NAMESERVER = "nameservers-not-set.invalid"
"""Stands in the NS and SOA of a zone file whose servers nobody named."""

REFRESH, RETRY, EXPIRE = 7200, 3600, 1209600
"""Seconds between a secondary's questions, after a failure, and until it gives up (RFC 1912 section 2.2)."""
NEGATIVE_TTL = 300
"""Seconds that resolvers keep "no such name": short, so that a new selector is seen soon (RFC 2308 section 4)."""

_CIRCLE = 2**32
_STEPS = 2**31 - 1


def file_name(zone: str) -> str:
    """Name of the zone's file; the slash of an RFC 2317 zone becomes a hyphen."""
    return f"{zone.replace('/', '-')}.zone"


def nameservers(settings: Settings, zone: str) -> tuple[Record, ...]:
    """NS of the zone and of zones cut out of it, with the addresses of servers inside of it."""
    servers = settings.dns.nameservers or {NO_NAMESERVER: ()}
    ttl = settings.dns.ttl
    cuts = [z for z in forward_zones(settings) if z.endswith(f".{zone}")]
    found = [
        Record(owner, NS(server), ttl, f"Authoritative server of {owner}.")
        for owner in (zone, *cuts)
        for server in servers
    ]
    for server, addresses in servers.items():
        if server == zone or server.endswith(f".{zone}"):
            why = "Address of a server of this zone."
            found += [Record(server, address(str(value)), ttl, why) for value in addresses]
    return tuple(found)


def zone_file(settings: Settings, zone: str, records: Iterable[Record], *, served: int | None = None) -> str:
    """Text of the zone: SOA, NS and `records`, each with its reason as a comment above it.

    `served` is the serial that secondaries have now, if there are any. Loads without a warning in BIND and Knot
    whenever the rules found nothing.
    """
    whole = in_order(dict.fromkeys((*nameservers(settings, zone), *records)))
    body = "".join(f"{line}\n" for line in _lines(whole))
    primary = next(iter(settings.dns.nameservers), NO_NAMESERVER)
    timers = f"{REFRESH} {RETRY} {EXPIRE} {NEGATIVE_TTL}"
    return (
        f"; Zone {zone}, made from the stack file: change it there.\n"
        f"$TTL {settings.dns.ttl}\n"
        f"{absolute(zone)} {settings.dns.ttl} IN SOA {absolute(primary)} hostmaster.{absolute(settings.domain)} "
        f"{serial(body, served)} {timers}\n{body}"
    )


def serial(body: str, served: int | None = None) -> int:
    """SOA serial for these records: the same for the same body, and later than `served` in serial arithmetic."""
    step = int.from_bytes(hashlib.sha256(body.encode()).digest()[:8], "big") % _STEPS + 1
    return step if served is None else (served + step) % _CIRCLE


def _lines(records: Iterable[Record]) -> Iterator[str]:
    name = why = ""
    for record in records:
        if record.name != name:
            yield ""
        if record.why != why or record.name != name:
            yield f"; {record.why}"
        yield record.render()
        name, why = record.name, record.why
