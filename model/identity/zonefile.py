"""One zone as the text of a zone file (RFC 1035 section 5), for import or for servers of one's own.

SOA serial: secondaries only fetch what has grown (RFC 1982), so it never goes back. A file that is written over its
predecessor keeps the serial while the zone is the same, and counts on by one when it is not; the serial that is
`served`, where somebody tells, is passed as well. The first serial of all is a hash of the records, so that the same
stack file gives the same file, without a clock. Importers and dynamic update (RFC 2136) ignore or keep the serial
themselves.

NS: `dns.nameservers`. Without any the file names `nameservers-not-set.invalid`, which loads everywhere, answers
nowhere (RFC 2606), and is reported by the rule nameservers-unknown; importers of hosted DNS ignore it.
"""

from __future__ import annotations

import hashlib
import re
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
_SOA = re.compile(r"^(\S+\s+\d+\s+IN\s+SOA\s+\S+\s+\S+\s+)(\d{1,10})(?=\s)", re.MULTILINE)


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


def zone_file(
    settings: Settings,
    zone: str,
    records: Iterable[Record],
    *,
    served: int | None = None,
    previous: str | None = None,
) -> str:
    """Text of the zone: SOA, NS and `records`, each with its reason as a comment above it.

    `served` is the serial that secondaries have now, if there are any; `previous` is the file that this one replaces.
    Loads without a warning in BIND and Knot whenever the rules found nothing. Raises ValueError for a previous file
    without a serial.
    """
    whole = in_order(dict.fromkeys((*nameservers(settings, zone), *records)))
    body = "".join(f"{line}\n" for line in _lines(whole))
    primary = next(iter(settings.dns.nameservers), NO_NAMESERVER)
    timers = f"{REFRESH} {RETRY} {EXPIRE} {NEGATIVE_TTL}"
    text = (
        f"; Zone {zone}, made from the stack file: change it there.\n"
        f"$TTL {settings.dns.ttl}\n"
        f"{absolute(zone)} {settings.dns.ttl} IN SOA {absolute(primary)} hostmaster.{absolute(settings.domain)} "
        f"{serial(body)} {timers}\n{body}"
    )
    number = _after(text, previous, served)
    return text if number is None else _SOA.sub(rf"\g<1>{number}", text, count=1)


def serial(body: str, served: int | None = None) -> int:
    """SOA serial: the next one after `served` in serial arithmetic, never 0; else the same for the same body."""
    if served is not None:
        return (served + 1) % _CIRCLE or 1
    return int.from_bytes(hashlib.sha256(body.encode()).digest()[:8], "big") % _STEPS + 1


def serial_of(text: str) -> int:
    """The serial of a zone file. Raises ValueError when it has none."""
    found = _SOA.search(text)
    if found is None or int(found[2]) >= _CIRCLE:
        raise ValueError("holds no SOA record with a serial")
    return int(found[2])


def _after(text: str, previous: str | None, served: int | None) -> int | None:
    """The serial of `text` where it follows another; None where it is the first."""
    if previous is None:
        return None if served is None else serial("", served)
    last = serial_of(previous)
    if served is not None and last != served and not _later(last, served):
        return serial("", served)
    return last if _facts(text) == _facts(previous) else serial("", last)


def latest(one: int, other: int) -> int:
    """The later of two serials."""
    return one if _later(one, other) else other


def _later(serial: int, than: int) -> bool:
    """RFC 1982 section 3.2; where it leaves the order open, no."""
    return 0 < (serial - than) % _CIRCLE < _CIRCLE // 2


def _facts(text: str) -> frozenset[str]:
    """What secondaries would fetch: no comments, and no serial."""
    lines = _SOA.sub(r"\g<1>0", text, count=1).splitlines()
    return frozenset(line for line in lines if line and not line.startswith(";"))


def _lines(records: Iterable[Record]) -> Iterator[str]:
    name = why = ""
    for record in records:
        if record.name != name:
            yield ""
        if record.why != why or record.name != name:
            yield f"; {record.why}"
        yield record.render()
        name, why = record.name, record.why
