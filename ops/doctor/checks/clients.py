"""What people and their programs meet: mail ports, discovery, web pages, TURN, and the clock."""

from __future__ import annotations

import datetime
import email.utils
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from model import topology
from model.identity.srv import services
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.receiving import ending, secured
from ops.doctor.dialogue import Protocol
from ops.doctor.visit import Visit
from ops.doctor.wire import Page, Talk, Tls

_CLOCK = 60
"""Seconds that two clocks may differ: codes of a second factor fail at 30 to 90."""
_AUTOCONFIG = "/mail/config-v1.1.xml"
_AUTODISCOVER = "/autodiscover/autodiscover.xml"
_MOBILE = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync"
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


def _discovered(visit: Visit) -> Iterator[str]:
    yield from (visit.settings.domains if visit.live else ())


def _web(visit: Visit) -> str:
    if not visit.web:
        raise Unseen("no address answers for the website")
    return visit.web[0]


def _autoconfig(visit: Visit, domain: str) -> Page:
    return visit.wire.page(_web(visit), f"autoconfig.{domain}", f"{_AUTOCONFIG}?emailaddress=doctor@{domain}")


def _certified(visit: Visit, page: Page, name: str) -> Iterator[str]:
    if page.tls and page.tls.fault and (visit.public or page.tls.fault != "chain"):
        yield f"{name}: {page.tls.words}"


def _config_there(visit: Visit, domain: str) -> Iterator[str]:
    visit.wire.open(_web(visit), 443)
    try:
        page = _autoconfig(visit, domain)
    except Unseen as problem:
        yield str(problem)
        return
    yield from _certified(visit, page, f"autoconfig.{domain}")
    if page.status != 200:
        yield f"https://autoconfig.{domain}{_AUTOCONFIG} answers {page.status}"


def _config_true(visit: Visit, domain: str) -> Iterator[str]:
    page = _autoconfig(visit, domain)
    if page.status != 200:
        raise Unseen(f"autoconfig.{domain} answers {page.status}")
    try:
        document = ET.fromstring(page.body)  # noqa: S314 (our own server wrote it, and it is short)
    except ET.ParseError as problem:
        yield f"autoconfig.{domain} sends no XML: {problem}"
        return
    offered = {(s.target, s.port) for s in services(visit.settings) if s.target}
    found = [*document.iter("incomingServer"), *document.iter("outgoingServer")]
    kinds = {server.get("type") for server in found}
    for missing in {"imap", "smtp"} - kinds:
        yield f"autoconfig.{domain} names no {missing} server"
    for server in found:
        host, port = server.findtext("hostname", ""), server.findtext("port", "0")
        if (host, int(port) if port.isdigit() else 0) not in offered:
            yield f"autoconfig.{domain} leads to {host}:{port}, which this stack does not offer"
        if server.findtext("socketType", "") not in ("SSL", "STARTTLS"):
            yield f"autoconfig.{domain} leads to {host}:{port} without TLS"


def _discovers(visit: Visit, domain: str) -> Iterator[str]:
    question = (
        f'<Autodiscover xmlns="{_MOBILE}/requestschema/2006"><Request><EMailAddress>doctor@{domain}</EMailAddress>'
        f"<AcceptableResponseSchema>{_MOBILE}/responseschema/2006</AcceptableResponseSchema></Request></Autodiscover>"
    )
    visit.wire.open(_web(visit), 443)
    page = visit.wire.page(_web(visit), f"autodiscover.{domain}", _AUTODISCOVER, body=question.encode())
    yield from _certified(visit, page, f"autodiscover.{domain}")
    if page.status != 200 or b"Autodiscover" not in page.body:
        yield f"https://autodiscover.{domain}{_AUTODISCOVER} answers {page.status}"


def _website(visit: Visit) -> Iterator[str]:
    if visit.web:
        yield visit.names.website


def _dav(visit: Visit, host: str) -> Iterator[str]:
    visit.wire.open(_web(visit), 443)
    for kind in ("caldav", "carddav"):
        page = visit.wire.page(_web(visit), host, f"/.well-known/{kind}")
        leads = page.status in (301, 302, 303, 307, 308) and "/dav" in page.headers.get("location", "")
        if not leads and page.status != 401:
            yield f"https://{host}/.well-known/{kind} answers {page.status} and does not lead to /dav"


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
    page = visit.wire.page(_web(visit), host, "/webmail/")
    if page.status < 400 and "max-age=" not in page.headers.get("strict-transport-security", ""):
        yield f"https://{host}/webmail/ does not tell browsers to insist on TLS"


def _old_web(visit: Visit, address: str) -> Iterator[str]:
    if visit.wire.takes_old_tls(address, 443, None):
        yield f"{address} port 443 takes TLS 1.0 or 1.1, which RFC 8996 forbids"


def _clock(visit: Visit, host: str) -> Iterator[str]:
    page = visit.wire.page(_web(visit), host, "/")
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


_LOGS = "kubectl -n {namespace} logs --selector app.kubernetes.io/name=proxy --since=1h"
_CERTIFICATE = "kubectl get certificates,challenges --all-namespaces; docs/how-to/choose-an-issuer.md"

CHECKS = (
    Check(
        id="clients-open",
        concern="clients",
        promise="Every port of mail programs is open.",
        reason="People cannot read or send mail.",
        fix="kubectl -n {namespace} get pods,services; docs/how-to/mail-does-not-arrive.md",
        subjects=_doors,
        look=_open,
    ),
    Check(
        id="clients-tls",
        concern="clients",
        promise="Every port of mail programs does TLS.",
        reason="Programs refuse to log in.",
        fix=_LOGS,
        subjects=_doors,
        look=_secure,
    ),
    Check(
        id="clients-certificate",
        concern="clients",
        promise="Mail programs believe the certificates.",
        reason="People are asked whether they trust us, or cannot go on.",
        fix=_CERTIFICATE,
        subjects=_doors,
        look=_believed,
    ),
    Check(
        id="clients-expiry",
        concern="clients",
        promise="Certificates of mail programs are renewed in time.",
        reason="From that day on nobody can log in.",
        fix=_CERTIFICATE,
        subjects=_doors,
        look=_expiry,
    ),
    Check(
        id="clients-clear-login",
        concern="clients",
        promise="No password is taken before TLS.",
        reason="Passwords travel in clear text.",
        fix=_LOGS,
        subjects=_starting,
        look=_clear_login,
    ),
    Check(
        id="clients-login",
        concern="clients",
        promise="A login is offered after TLS.",
        reason="People cannot log in.",
        fix=_LOGS,
        subjects=_doors,
        look=_login,
    ),
    Check(
        id="clients-old-tls",
        concern="clients",
        promise="No port takes TLS 1.0 or 1.1.",
        reason="Passwords can be read by who can weaken the connection.",
        fix=_LOGS,
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
    Check(
        id="autoconfig-answers",
        concern="discovery",
        promise="autoconfig answers, with a certificate that holds.",
        reason="People have to type servers and ports.",
        fix=_LOGS,
        subjects=_discovered,
        look=_config_there,
        severity="warning",
    ),
    Check(
        id="autoconfig-true",
        concern="discovery",
        promise="autoconfig names the ports that are open, with TLS.",
        reason="Programs are set up for servers that do not exist.",
        fix="make up STACK={stack}",
        subjects=_discovered,
        look=_config_true,
    ),
    Check(
        id="autodiscover-answers",
        concern="discovery",
        promise="autodiscover answers, with a certificate that holds.",
        reason="Phones and Outlook find nothing.",
        fix=_LOGS,
        subjects=_discovered,
        look=_discovers,
        severity="warning",
    ),
    Check(
        id="dav-redirect",
        concern="discovery",
        promise="/.well-known leads to calendars and contacts (RFC 6764).",
        reason="Calendar programs find nothing.",
        fix=_LOGS,
        subjects=_website,
        look=_dav,
        severity="warning",
    ),
    Check(
        id="web-answers",
        concern="web",
        promise="Every web host answers.",
        reason="People cannot reach their mail.",
        fix="kubectl -n {namespace} get pods,services; docs/how-to/mail-does-not-arrive.md",
        subjects=_sites,
        look=_site_answers,
    ),
    Check(
        id="web-certificate",
        concern="web",
        promise="Browsers believe the certificate of every web host.",
        reason="People are warned of us.",
        fix=_CERTIFICATE,
        subjects=_sites,
        look=_site_believed,
    ),
    Check(
        id="web-expiry",
        concern="web",
        promise="Certificates of web hosts are renewed in time.",
        reason="From that day on people are warned of us.",
        fix=_CERTIFICATE,
        subjects=_sites,
        look=_site_expiry,
    ),
    Check(
        id="web-redirect",
        concern="web",
        promise="Port 80 leads to https.",
        reason="Who types the name without https gets nothing, or clear text.",
        fix=_LOGS,
        subjects=_web_addresses,
        look=_redirects,
        severity="warning",
    ),
    Check(
        id="web-foreign",
        concern="web",
        promise="Names that are not ours are turned away.",
        reason="Internal hooks are reached by name.",
        fix=_LOGS,
        subjects=_web_addresses,
        look=_foreign,
    ),
    Check(
        id="web-hsts",
        concern="web",
        promise="Webmail tells browsers to insist on TLS (RFC 6797).",
        reason="The first page can be replaced on the way.",
        fix=_LOGS,
        subjects=_website,
        look=_hsts,
        severity="warning",
    ),
    Check(
        id="web-old-tls",
        concern="web",
        promise="The website takes no TLS 1.0 or 1.1.",
        reason="Sessions can be read by who can weaken the connection.",
        fix=_LOGS,
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
        subjects=_website,
        look=_clock,
    ),
    Check(
        id="turn-answers",
        concern="turn",
        promise="TURN answers.",
        reason="Calls fail behind most firewalls.",
        fix="kubectl -n {namespace} logs --selector app.kubernetes.io/name=coturn --since=1h",
        subjects=_turn,
        look=_turn_answers,
    ),
    Check(
        id="turn-closed",
        concern="turn",
        promise="TURN relays nothing without a name.",
        reason="Strangers attack others in our name.",
        fix="kubectl -n {namespace} logs --selector app.kubernetes.io/name=coturn --since=1h; docs/security.md",
        subjects=_turn,
        look=_turn_closed,
    ),
)
