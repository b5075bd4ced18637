"""Web pages, the clock, and TURN."""

from __future__ import annotations

import datetime
import email.utils
from collections.abc import Iterator
from dataclasses import dataclass

from model import topology
from ops.doctor.certificates import ending
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import CERTIFICATES, NOTHING_ANSWERS, PROXY_LOGS, TURN_LOGS
from ops.doctor.visit import Visit
from ops.doctor.wire import Page, Tls

_CLOCK = 60
"""Seconds that two clocks may differ: codes of a second factor fail at 30 to 90."""


@dataclass(frozen=True)
class Site:
    """A web host at one address."""

    host: str
    address: str

    def __str__(self) -> str:
        return f"https://{self.host}/ at {self.address}"


def _sites(visit: Visit) -> Iterator[Site]:
    names = visit.names
    hosts = [names.website, names.admin, names.reseller]
    yield from (Site(host, address) for host in dict.fromkeys(hosts) for address in visit.web)


def _home(visit: Visit, site: Site) -> Page:
    return visit.wire.page(site.address, site.host, "/")


def _site_answers(visit: Visit, site: Site) -> Iterator[str]:
    try:
        page = _home(visit, site)
    except Unseen as problem:
        yield str(problem)
        return
    if page.status >= 500:
        yield f"{site} answers {page.status}"


def _site_tls(visit: Visit, site: Site) -> Tls:
    tls = _home(visit, site).tls
    if tls is None:
        raise Unseen(f"{site} has no TLS")
    return tls


def _site_believed(visit: Visit, site: Site) -> Iterator[str]:
    tls = _site_tls(visit, site)
    if tls.fault == "name" or (tls.fault == "chain" and visit.public):
        yield f"{site}: {tls.words}"


def _site_expiry(visit: Visit, site: Site) -> Iterator[str]:
    yield from ending(visit, str(site), _site_tls(visit, site))


def _web_addresses(visit: Visit) -> tuple[str, ...]:
    return visit.web


def _redirects(visit: Visit, address: str) -> Iterator[str]:
    host = visit.names.website
    try:
        page = visit.wire.page(address, host, "/", port=80)
    except Unseen as problem:
        yield str(problem)
        return
    if page.status not in (301, 308) or not page.headers.get("location", "").startswith(f"https://{host}/"):
        yield f"http://{host}/ at {address} answers {page.status} and does not lead to https"


def _foreign(visit: Visit, address: str) -> Iterator[str]:
    page = visit.wire.page(address, "doctor.invalid", "/")
    if page.status < 400:
        yield f"{address} answers {page.status} to a name that is not ours"


def _hsts(visit: Visit, host: str) -> Iterator[str]:
    page = visit.wire.page(visit.front, host, "/webmail/")
    if page.status < 400 and "max-age=" not in page.headers.get("strict-transport-security", ""):
        yield f"https://{host}/webmail/ does not tell browsers to insist on TLS"


def _old_web(visit: Visit, address: str) -> Iterator[str]:
    if visit.wire.takes_old_tls(address, 443, None):
        yield f"{address} port 443 takes TLS 1.0 or 1.1, which RFC 8996 forbids"


def _clock(visit: Visit, host: str) -> Iterator[str]:
    page = visit.wire.page(visit.front, host, "/")
    stamp = email.utils.parsedate_to_datetime(page.headers["date"]) if "date" in page.headers else None
    if stamp is None:
        raise Unseen(f"https://{host}/ does not tell the time")
    off = abs((stamp.replace(tzinfo=stamp.tzinfo or datetime.UTC) - visit.edge.now()).total_seconds())
    if off > _CLOCK:
        yield f"the clock of {host} and the one of this machine differ by {off:.0f} s"


@dataclass(frozen=True)
class Relay:
    """A TURN server."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}/udp"


def _turn(visit: Visit) -> Iterator[Relay]:
    turn = set(visit.ports.get("turn", ()))
    numbers = {
        p.number
        for p in topology.public_ports(visit.settings)
        if p.service == "turn" and p.target.protocol == "UDP"
    }
    yield from (Relay(address, number) for address in sorted(turn) for number in sorted(numbers & {3478}))


def _turn_answers(visit: Visit, relay: Relay) -> Iterator[str]:
    try:
        said = visit.wire.stun(relay.address, relay.port, allocate=False)
    except Unseen as problem:
        yield str(problem)
        return
    if said != "answers":
        yield f"{relay} answers {said} to a STUN binding"


def _turn_closed(visit: Visit, relay: Relay) -> Iterator[str]:
    said = visit.wire.stun(relay.address, relay.port, allocate=True)
    if said == "granted":
        yield f"{relay} relays for anybody"


CHECKS = (
    Check(
        id="web-answers",
        concern="web",
        promise="Every web host answers.",
        reason="People cannot reach their mail.",
        fix=NOTHING_ANSWERS,
        subjects=_sites,
        look=_site_answers,
    ),
    Check(
        id="web-certificate",
        concern="web",
        promise="Browsers believe the certificate of every web host.",
        reason="People are warned of us.",
        fix=CERTIFICATES,
        subjects=_sites,
        look=_site_believed,
    ),
    Check(
        id="web-expiry",
        concern="web",
        promise="Certificates of web hosts are renewed in time.",
        reason="From that day on people are warned of us.",
        fix=CERTIFICATES,
        subjects=_sites,
        look=_site_expiry,
    ),
    Check(
        id="web-redirect",
        concern="web",
        promise="Port 80 leads to https.",
        reason="Who types the name without https gets nothing, or clear text.",
        fix=PROXY_LOGS,
        subjects=_web_addresses,
        look=_redirects,
        severity="warning",
    ),
    Check(
        id="web-foreign",
        concern="web",
        promise="Names that are not ours are turned away.",
        reason="Internal hooks are reached by name.",
        fix=PROXY_LOGS,
        subjects=_web_addresses,
        look=_foreign,
    ),
    Check(
        id="web-hsts",
        concern="web",
        promise="Webmail tells browsers to insist on TLS (RFC 6797).",
        reason="The first page can be replaced on the way.",
        fix=PROXY_LOGS,
        subjects=lambda v: (v.names.website,) if v.web else (),
        look=_hsts,
        severity="warning",
    ),
    Check(
        id="web-old-tls",
        concern="web",
        promise="The website takes no TLS 1.0 or 1.1.",
        reason="Sessions can be read by who can weaken the connection.",
        fix=PROXY_LOGS,
        subjects=_web_addresses,
        look=_old_web,
        severity="warning",
    ),
    Check(
        id="clock",
        concern="clock",
        promise="The clocks of the stack and of this machine agree.",
        reason="Second factors, signatures and certificates fail.",
        fix="see that chrony or systemd-timesyncd runs on every node, and here: timedatectl",
        subjects=lambda v: (v.names.website,) if v.web else (),
        look=_clock,
    ),
    Check(
        id="turn-answers",
        concern="turn",
        promise="TURN answers.",
        reason="Calls fail behind most firewalls.",
        fix=TURN_LOGS,
        subjects=_turn,
        look=_turn_answers,
    ),
    Check(
        id="turn-closed",
        concern="turn",
        promise="TURN relays nothing without a name.",
        reason="Strangers attack others in our name.",
        fix=f"{TURN_LOGS}; docs/security.md",
        subjects=_turn,
        look=_turn_closed,
    ),
)
