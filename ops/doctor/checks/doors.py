"""The ports where mail programs log in, and those that nobody may reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model import topology
from ops.doctor.certificates import ending, secured
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import CERTIFICATES, NOTHING_ANSWERS, PROXY_LOGS
from ops.doctor.dialogue import Protocol
from ops.doctor.visit import Visit
from ops.doctor.wire import Talk

_MET = (topology.PROXY.name, topology.TURN.name, topology.MEET.name)
"""Daemons whose own numbers others may use on a node: 6443 is the API server's."""


@dataclass(frozen=True)
class Door:
    """A port where mail programs log in."""

    address: str
    port: int
    protocol: Protocol
    name: str
    implicit: bool

    def __str__(self) -> str:
        return f"{self.name}:{self.port} at {self.address}"


def _doors(visit: Visit) -> Iterator[Door]:
    names = visit.names
    kinds: dict[int, tuple[Protocol, str, bool]] = {
        465: ("smtp", names.smtp, True),
        587: ("smtp", names.smtp, False),
        993: ("imap", names.imap, True),
        143: ("imap", names.imap, False),
        4190: ("sieve", names.sieve, False),
    }
    for address, port, protocol in visit.opened:
        if port in kinds and protocol == "TCP":
            yield Door(address, port, *kinds[port])


def _starting(visit: Visit) -> Iterator[Door]:
    yield from (door for door in _doors(visit) if not door.implicit)


def _talk(visit: Visit, door: Door) -> Talk:
    return visit.wire.talk(door.address, door.port, door.protocol, door.name, implicit=door.implicit)


def _open(visit: Visit, door: Door) -> Iterator[str]:
    try:
        visit.wire.open(door.address, door.port)
    except Unseen as problem:
        yield str(problem)


def _secure(visit: Visit, door: Door) -> Iterator[str]:
    visit.wire.open(door.address, door.port)
    try:
        talk = _talk(visit, door)
    except Unseen as problem:
        yield str(problem)
        return
    if talk.tls is None:
        yield talk.broken or f"{door} does not offer STARTTLS"


def _believed(visit: Visit, door: Door) -> Iterator[str]:
    tls = secured(_talk(visit, door))
    if tls.fault == "name" or (tls.fault == "chain" and visit.public):
        yield f"{door}: {tls.words}"


def _expiry(visit: Visit, door: Door) -> Iterator[str]:
    yield from ending(visit, str(door), secured(_talk(visit, door)))


def _clear_login(visit: Visit, door: Door) -> Iterator[str]:
    talk = _talk(visit, door)
    match door.protocol:
        case "smtp":
            bad = [each for each in talk.clear if each.split(" ")[0].startswith("AUTH")]
        case "imap":
            login = [] if "LOGINDISABLED" in talk.clear else ["LOGIN"]
            bad = login + [each for each in talk.clear if each in ("AUTH=PLAIN", "AUTH=LOGIN")]
        case _:
            bad = [
                each for each in talk.clear if each.upper().startswith('"SASL"') and "PLAIN" in each.upper()
            ]
    if bad:
        yield f"{door} takes passwords in clear text: {', '.join(bad)}"


def _login(visit: Visit, door: Door) -> Iterator[str]:
    talk = _talk(visit, door)
    secured(talk)
    offers = {"smtp": "AUTH", "imap": "AUTH=", "sieve": '"SASL"'}[door.protocol]
    if not any(each.upper().startswith(offers) for each in talk.secret):
        yield f"{door} offers no login after TLS"


def _old_tls(visit: Visit, door: Door) -> Iterator[str]:
    if visit.wire.takes_old_tls(door.address, door.port, None if door.implicit else door.protocol):
        yield f"{door} takes TLS 1.0 or 1.1, which RFC 8996 forbids"


@dataclass(frozen=True)
class Closed:
    """A port of the inside that the world must not reach."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


def _inside(visit: Visit) -> Iterator[Closed]:
    """Ports of daemons that no public Service has, on every public address."""
    used = {port for _, port, _ in visit.opened}
    daemons = [daemon for daemon in topology.daemons(visit.settings) if daemon.name not in _MET]
    numbers = {port.number for daemon in daemons for port in daemon.ports if port.protocol == "TCP"}
    for address in sorted({address for address, _, _ in visit.opened}):
        yield from (Closed(address, number) for number in sorted(numbers - used))


def _closed(visit: Visit, place: Closed) -> Iterator[str]:
    try:
        visit.wire.open(place.address, place.port)
    except Unseen:
        return
    yield f"{place} is open to the world"


CHECKS = (
    Check(
        id="clients-open",
        concern="clients",
        promise="Every port of mail programs is open.",
        reason="People cannot read or send mail.",
        fix=NOTHING_ANSWERS,
        subjects=_doors,
        look=_open,
    ),
    Check(
        id="clients-tls",
        concern="clients",
        promise="Every port of mail programs does TLS.",
        reason="Programs refuse to log in.",
        fix=PROXY_LOGS,
        subjects=_doors,
        look=_secure,
    ),
    Check(
        id="clients-certificate",
        concern="clients",
        promise="Mail programs believe the certificates.",
        reason="People are asked whether they trust us, or cannot go on.",
        fix=CERTIFICATES,
        subjects=_doors,
        look=_believed,
    ),
    Check(
        id="clients-expiry",
        concern="clients",
        promise="Certificates of mail programs are renewed in time.",
        reason="From that day on nobody can log in.",
        fix=CERTIFICATES,
        subjects=_doors,
        look=_expiry,
    ),
    Check(
        id="clients-clear-login",
        concern="clients",
        promise="No password is taken before TLS.",
        reason="Passwords travel in clear text.",
        fix=PROXY_LOGS,
        subjects=_starting,
        look=_clear_login,
    ),
    Check(
        id="clients-login",
        concern="clients",
        promise="A login is offered after TLS.",
        reason="People cannot log in.",
        fix=PROXY_LOGS,
        subjects=_doors,
        look=_login,
    ),
    Check(
        id="clients-old-tls",
        concern="clients",
        promise="No port takes TLS 1.0 or 1.1.",
        reason="Passwords can be read by who can weaken the connection.",
        fix=PROXY_LOGS,
        subjects=_doors,
        look=_old_tls,
        severity="warning",
    ),
    Check(
        id="inside-closed",
        concern="inside",
        promise="No port of the inside is open to the world.",
        reason="Databases and hooks have no door of their own.",
        fix="see which Service opened it: kubectl get services --all-namespaces",
        subjects=_inside,
        look=_closed,
    ),
)
