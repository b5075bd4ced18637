"""What programs are told when they look for their settings."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from model.identity.srv import services
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import PROXY_LOGS
from ops.doctor.visit import Visit
from ops.doctor.wire import Page

_AUTOCONFIG = "/mail/config-v1.1.xml"

_AUTODISCOVER = "/autodiscover/autodiscover.xml"

_MOBILE = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync"


def _discovered(visit: Visit) -> Iterator[str]:
    yield from (visit.settings.domains if visit.live else ())


def _autoconfig(visit: Visit, domain: str) -> Page:
    return visit.wire.page(visit.front, f"autoconfig.{domain}", f"{_AUTOCONFIG}?emailaddress=doctor@{domain}")


def _certified(visit: Visit, page: Page, name: str) -> Iterator[str]:
    if page.tls and page.tls.fault and (visit.public or page.tls.fault != "chain"):
        yield f"{name}: {page.tls.words}"


def _config_there(visit: Visit, domain: str) -> Iterator[str]:
    visit.wire.open(visit.front, 443)
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
    visit.wire.open(visit.front, 443)
    page = visit.wire.page(visit.front, f"autodiscover.{domain}", _AUTODISCOVER, body=question.encode())
    yield from _certified(visit, page, f"autodiscover.{domain}")
    if page.status != 200 or b"Autodiscover" not in page.body:
        yield f"https://autodiscover.{domain}{_AUTODISCOVER} answers {page.status}"


def _dav(visit: Visit, host: str) -> Iterator[str]:
    visit.wire.open(visit.front, 443)
    for kind in ("caldav", "carddav"):
        page = visit.wire.page(visit.front, host, f"/.well-known/{kind}")
        leads = page.status in (301, 302, 303, 307, 308) and "/dav" in page.headers.get("location", "")
        if not leads and page.status != 401:
            yield f"https://{host}/.well-known/{kind} answers {page.status} and does not lead to /dav"


CHECKS = (
    Check(
        id="autoconfig-answers",
        concern="discovery",
        promise="autoconfig answers, with a certificate that holds.",
        reason="People have to type servers and ports.",
        fix=PROXY_LOGS,
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
        fix=PROXY_LOGS,
        subjects=_discovered,
        look=_discovers,
        severity="warning",
    ),
    Check(
        id="dav-redirect",
        concern="discovery",
        promise="/.well-known leads to calendars and contacts (RFC 6764).",
        reason="Calendar programs find nothing.",
        fix=PROXY_LOGS,
        subjects=lambda v: (v.names.website,) if v.web else (),
        look=_dav,
        severity="warning",
    ),
)
