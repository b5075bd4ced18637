"""CalDAV and CardDAV as a phone speaks them. Hosts are names, and certificates must hold them."""

from __future__ import annotations

import base64
import json
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import dns.resolver

from tests.acceptance.client.tls import careful

_TIMEOUT = 60
_DAV = "{DAV:}"
_HOMES = {
    "caldav": "{urn:ietf:params:xml:ns:caldav}calendar-home-set",
    "carddav": "{urn:ietf:params:xml:ns:carddav}addressbook-home-set",
}
_KINDS = {
    "caldav": "{urn:ietf:params:xml:ns:caldav}calendar",
    "carddav": "{urn:ietf:params:xml:ns:carddav}addressbook",
}


def dav(method: str, url: str, user: str, password: str, body: str = "", *headers: str) -> str:
    """Status, headers and body of one request, whole. A body that begins with @ is the file of that name."""
    content = Path(body[1:]).read_bytes() if body.startswith("@") else body.encode()
    answer = _request(method, url, user, password, content, *headers)
    lines = [str(answer.status), *(f"{key}: {value}" for key, value in answer.getheaders()), "", ""]
    return "\n".join(lines) + answer.read().decode(errors="replace")


def discover(service: str, address: str, password: str) -> str:
    """JSON: how a client finds its collections that knows nothing but an address and a password (RFC 6764)."""
    name = f"_{service}s._tcp.{address.rpartition('@')[2]}"
    [place] = dns.resolver.resolve(name, "SRV")
    [text] = dns.resolver.resolve(name, "TXT")
    path = b"".join(text.strings).decode().removeprefix("path=")
    start = f"https://{str(place.target).rstrip('.')}:{place.port}{path}"
    return json.dumps({"start": start} | _collections(service, start, address, password))


def collections(service: str, url: str, user: str, password: str) -> str:
    """JSON: the same from a URL on, following at most one redirect as /.well-known gives it."""
    answer = _request("PROPFIND", url, user, password, _wanted(f"{_DAV}current-user-principal"), "Depth: 0")
    start = urljoin(url, answer.getheader("Location", url))
    return json.dumps(
        {"status": answer.status, "start": start} | _collections(service, start, user, password)
    )


def _collections(service: str, start: str, user: str, password: str) -> dict[str, object]:
    principal = _href(start, user, password, f"{_DAV}current-user-principal")
    home = _href(principal, user, password, _HOMES[service])
    found = _propfind(home, user, password, f"{_DAV}resourcetype", depth="1")
    kind = f"{_DAV}propstat/{_DAV}prop/{_DAV}resourcetype/{_KINDS[service]}"
    members = [urljoin(home, one.findtext(f"{_DAV}href")) for one in found if one.find(kind) is not None]
    return {"principal": principal, "home": home, "collections": members}


def _href(url: str, user: str, password: str, name: str) -> str:
    """The URL that a property of `url` holds."""
    found = _propfind(url, user, password, name).findtext(f".//{name}/{_DAV}href")
    if not found:
        raise LookupError(f"{url} has no {name}")
    return urljoin(url, found)


def _propfind(url: str, user: str, password: str, name: str, *, depth: str = "0") -> ET.Element:
    answer = _request("PROPFIND", url, user, password, _wanted(name), f"Depth: {depth}")
    body = answer.read()
    if answer.status != 207:
        raise LookupError(f"PROPFIND {url}: {answer.status} {body[:500]!r}")
    return ET.fromstring(body)  # noqa: S314 (of the server that we test)


def _wanted(name: str) -> bytes:
    request = ET.Element(f"{_DAV}propfind")
    ET.SubElement(ET.SubElement(request, f"{_DAV}prop"), name)
    return ET.tostring(request, encoding="utf-8", xml_declaration=True)


def _request(method: str, url: str, user: str, password: str, body: bytes, *headers: str) -> HTTPResponse:
    place = urlsplit(url)
    given = dict(header.split(": ", 1) for header in headers)
    if body:
        given.setdefault("Content-Type", "application/xml; charset=utf-8")
    if user:
        given["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    connection = HTTPSConnection(place.hostname or "", place.port or 443, timeout=_TIMEOUT, context=careful())
    connection.request(method, place.path, body or None, given)
    return connection.getresponse()
