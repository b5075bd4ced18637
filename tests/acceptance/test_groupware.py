"""Calendars and contacts: found, written and read by a phone that knows an address and a password."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.acceptance.phone import SERVICES, answer, collection, lines, put
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack

pytestmark = pytest.mark.proves("proxy", "imap", "webapp")

_ATTACHMENT_BYTES = 5 * 1024 * 1024
_SERVICES = pytest.mark.parametrize("service", SERVICES)

_DATA = {"caldav": "ATTACH;ENCODING=BASE64;VALUE=BINARY", "carddav": "PHOTO;ENCODING=b;TYPE=JPEG"}

_CALENDAR_QUERY = """\
<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
  <d:prop><d:getetag/></d:prop>
  <c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">
    <c:time-range start="202611{day}T000000Z" end="202611{day}T235959Z"/>
  </c:comp-filter></c:comp-filter></c:filter>
</c:calendar-query>
"""
_ADDRESSBOOK_QUERY = """\
<c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">
  <d:prop><d:getetag/></d:prop>
  <c:filter><c:prop-filter name="EMAIL"><c:text-match match-type="contains">{text}</c:text-match></c:prop-filter></c:filter>
</c:addressbook-query>
"""


@_SERVICES
@pytest.mark.parametrize("user", [JANE, JOE])
def test_a_phone_finds_its_collections_through_dns(stack: Stack, service: str, user: str) -> None:
    found = json.loads(stack.client("discover", service, user, PASSWORD))
    assert urlsplit(found["start"]).hostname == stack.names.website
    assert user in unquote(found["principal"])
    assert user in unquote(found["home"])
    assert found["collections"], found


@_SERVICES
def test_the_well_known_address_leads_where_dns_does(stack: Stack, service: str) -> None:
    url = f"https://{stack.names.website}/.well-known/{service}"
    known = json.loads(stack.client("collections", service, url, JANE, PASSWORD))
    named = json.loads(stack.client("discover", service, JANE, PASSWORD))
    assert known["status"] == 301
    assert known["start"].startswith(f"https://{stack.names.website}/dav/")
    assert _paths(known["collections"]) == _paths(named["collections"])


@_SERVICES
def test_what_a_phone_writes_is_read_back(stack: Stack, service: str) -> None:
    url, content = put(stack, service)
    status, _, read = answer(stack.client("dav", "GET", url, JANE, PASSWORD))
    assert status == 200
    assert lines(read) == lines(content)


def test_an_event_is_found_on_its_day_and_on_no_other(stack: Stack) -> None:
    url, _ = put(stack, "caldav")
    assert _path(url) in _report(stack, "caldav", _CALENDAR_QUERY.format(day=24))
    assert _path(url) not in _report(stack, "caldav", _CALENDAR_QUERY.format(day=26))


def test_a_contact_is_found_by_its_address_and_by_no_other(stack: Stack) -> None:
    url, _ = put(stack, "carddav")
    assert _path(url) in _report(stack, "carddav", _ADDRESSBOOK_QUERY.format(text="zoe@elsewhere"))
    assert _path(url) not in _report(stack, "carddav", _ADDRESSBOOK_QUERY.format(text="adam@elsewhere"))


@_SERVICES
def test_a_picture_of_5_mib_is_kept(stack: Stack, service: str, tmp_path: Path) -> None:
    """The image's own limit on requests is 1 MB."""
    data = base64.b64encode(os.urandom(_ATTACHMENT_BYTES)).decode()
    url, content = put(stack, service, tmp_path, f"{_DATA[service]}:{data}\n")
    _, _, read = answer(stack.client("dav", "GET", url, JANE, PASSWORD))
    stack.client("dav", "DELETE", url, JANE, PASSWORD)
    # Millions of characters are not for a report.
    same = lines(read) == lines(content)
    assert same


@_SERVICES
@pytest.mark.parametrize("user", [JANE, ""], ids=["wrong password", "no password"])
def test_nobody_reads_without_the_password(stack: Stack, service: str, user: str) -> None:
    url = _home(stack, service)
    status, headers, _ = answer(stack.client("dav", "PROPFIND", url, user, "Wrong4Horse", "", "Depth: 1"))
    assert status == 401
    assert "Basic" in headers["WWW-Authenticate"]


@_SERVICES
def test_nobody_reads_what_is_somebody_elses(stack: Stack, service: str) -> None:
    url, _ = put(stack, service)
    status, headers, _ = answer(stack.client("dav", "GET", url, JOE, PASSWORD))
    if status == 301:
        # Cyrus leads to where it would stand if Jane had shared it.
        shared = urljoin(url, headers["Location"])
        status, _, _ = answer(stack.client("dav", "GET", shared, JOE, PASSWORD))
    assert status in {403, 404}


def _home(stack: Stack, service: str) -> str:
    return json.loads(stack.client("discover", service, JANE, PASSWORD))["home"]


def _report(stack: Stack, service: str, query: str) -> str:
    """Paths of what a query finds in Jane's default collection."""
    url = collection(stack, service)
    status, _, found = answer(stack.client("dav", "REPORT", url, JANE, PASSWORD, query, "Depth: 1"))
    assert status == 207, found
    return unquote(found)


def _path(url: str) -> str:
    return unquote(urlsplit(url).path)


def _paths(urls: list[str]) -> list[str]:
    return sorted(map(_path, urls))
