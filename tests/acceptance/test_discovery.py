"""Whoever knows an address and a password needs nothing else: what programs are told answers, under that name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack

_USERS = pytest.mark.parametrize("user", [JANE, JOE])
_TLS_FIRST = {"imap": "993", "smtp": "465"}
"""Ports where TLS comes before everything else, which RFC 8314 wants programs to be led to."""
_MOBILE = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync"
_QUESTION = f"""\
<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="{_MOBILE}/requestschema/2006"><Request>
<EMailAddress>{{user}}</EMailAddress>
<AcceptableResponseSchema>{_MOBILE}/responseschema/2006</AcceptableResponseSchema>
</Request></Autodiscover>"""


@dataclass(frozen=True)
class Server:
    """A server of Mozilla's config-v1.1.xml."""

    kind: str
    host: str
    port: str
    socket: str
    user: str


@pytest.mark.proves("proxy", "postfix", "imap", "webapp")
@_USERS
def test_a_mail_program_reads_and_sends_with_what_autoconfig_tells_it(stack: Stack, user: str) -> None:
    servers = _autoconfig(stack, user)
    # A POP3 server, which upstream announces by default, does not exist.
    assert set(servers) == {"imap", "smtp"}
    for kind, server in servers.items():
        assert (server.port, server.socket) == (_TLS_FIRST[kind], "SSL")
    sending, reading = servers["smtp"], servers["imap"]
    subject = f"set up by itself at {time.time_ns()}"
    answer = stack.client("submit", sending.host, sending.port, sending.user, PASSWORD, user, user, subject)
    assert answer.startswith("250"), answer
    stack.inbox(user, subject)
    assert subject in stack.client("read", reading.host, reading.port, reading.user, PASSWORD, subject)


def _autoconfig(stack: Stack, user: str) -> dict[str, Server]:
    """What Thunderbird and others are told, by protocol."""
    url = f"https://autoconfig.{user.partition('@')[2]}/mail/config-v1.1.xml?emailaddress={user}"
    document = _xml(stack.client("http", url))
    found = [*document.iter("incomingServer"), *document.iter("outgoingServer")]
    fields = ("hostname", "port", "socketType", "username")
    return {
        each.attrib["type"]: Server(each.attrib["type"], *(each.findtext(field, "") for field in fields))
        for each in found
    }


@pytest.mark.proves("proxy", "roundcube", "webapp")
@_USERS
def test_a_phone_finds_the_server_that_asks_for_its_password(stack: Stack, user: str) -> None:
    url = f"https://autodiscover.{user.partition('@')[2]}/autodiscover/autodiscover.xml"
    document = _xml(stack.client("post", url, _QUESTION.format(user=user), "Content-Type: text/xml"))
    (place,) = document.iterfind(".//{*}Server/{*}Url")
    status, *headers = stack.client("http", str(place.text)).split("\n\n")[0].splitlines()
    assert status == "401", f"{place.text}: {status}"
    assert any(header.lower().startswith("www-authenticate: basic") for header in headers), headers


def _xml(answer: str) -> ET.Element:
    head, _, body = answer.partition("\n\n")
    assert head.startswith("200"), answer
    return ET.fromstring(body)  # noqa: S314 (our own stack writes it)


@pytest.mark.proves("proxy", "postfix", "imap", "webapp")
@_USERS
@pytest.mark.parametrize("service", ["imaps", "imap", "submissions", "submission", "sieve"])
def test_a_mail_program_signs_in_to_what_dns_offers(stack: Stack, service: str, user: str) -> None:
    assert stack.client("sign_in", service, user, PASSWORD).endswith(" accepted")


@_USERS
@pytest.mark.parametrize("service", ["pop3s", "pop3"])
def test_dns_says_what_there_is_not(stack: Stack, service: str, user: str) -> None:
    assert stack.client("sign_in", service, user, PASSWORD) == "there is none"
