"""Websites behind Traefik, as Ingress controller and as Gateway: nothing is cut, and everybody is who they are."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from subprocess import Popen

import pytest

from model import topology
from tests.acceptance.stack import JANE, PASSWORD, Stack, eventually
from tests.acceptance.strangers import ELSEWHERE, Stranger, strangers
from tests.acceptance.ways_in import WAYS, Before, served
from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.lab.traefik import NAMESPACE

pytestmark = [
    # Traefik is built first, and a phone waits for a quarter of an hour, twice.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("proxy"),
]

_HEARTBEAT = 15 * 60
"""Seconds that a phone waits for news at most."""
_SLOW = 75
"""Seconds of an upload or a silence that a controller would cut after a minute unless told otherwise."""
_LIE = "8.8.8.8"


@pytest.fixture(scope="module", params=WAYS)
def before(request: pytest.FixtureRequest, stack: Stack, own_lab: Lab) -> Iterator[Before]:
    with served(stack, own_lab, request.param) as made:
        yield made


@pytest.fixture(scope="module")
def phone(before: Before) -> Iterator[tuple[float, Popen[str]]]:
    """A phone that waits while everything else is tried; when it began."""
    stack = before.stack
    line = stack.client_line("ping", stack.names.activesync, JANE, PASSWORD, str(_HEARTBEAT))
    process = stack.lab.internet.start(line)
    try:
        yield time.monotonic(), process
    finally:
        process.terminate()
        process.wait()


def _client(before: Before, *headers: str, scheme: str = "https") -> dict[str, str]:
    """What the web application believes about who asks."""
    website = before.stack.names.website
    answer = before.stack.client("ask", "GET", f"{scheme}://{website}/api/lab/client", *headers)
    found: dict[str, str] = json.loads(answer.splitlines()[-1])
    return found


def test_web_names_lead_to_traefik_and_mail_names_to_the_proxy(before: Before, phone: object) -> None:
    names, resolve = before.stack.names, before.stack.lab.internet.resolve
    proxy = topology.public_addresses(before.stack.settings)["proxy"]
    assert {tuple(resolve(host)) for host in (names.website, names.admin, names.activesync)} == {
        (before.traefik.address,)
    }
    assert {tuple(resolve(host)) for host in (names.imap, names.smtp)} == {proxy}


@pytest.mark.parametrize("which", ["website", "hosted"])
def test_a_browser_is_shown_the_certificate_of_the_host_that_it_asks_for(before: Before, which: str) -> None:
    stack = before.stack
    host = stack.names.website if which == "website" else "mta-sts.example.net"
    answer = eventually(
        lambda: (said := stack.client("ask", "GET", f"https://{host}/health")).startswith("200") and said,
        f"{host} is not served",
        seconds=60,
    )
    assert "UP" in answer


def test_port_80_sends_to_https_where_a_listener_says_so(before: Before) -> None:
    website = before.stack.names.website
    lines = before.stack.client("ask", "GET", f"http://{website}/some/where?now").splitlines()
    if before.way == "gateway":
        assert (lines[0], f"Location: https://{website}/some/where?now" in lines) == ("301", True)
    else:
        # What an Ingress says is for TLS alone; who wants more tells Traefik.
        assert lines[0] == "404"


def test_the_application_sees_the_clients_own_address(before: Before) -> None:
    assert _client(before)["client"] == before.stack.lab.internet.address


@pytest.mark.parametrize(
    "header",
    [
        f"X-Forwarded-For: {_LIE}",
        f"X-Forwarded-For: {_LIE}, 127.0.0.1",
        "X-Forwarded-For: {controller}",
        f"X-Forwarded-For: {_LIE}, {{controller}}",
        f"x-forwarded-for: , {_LIE},",
        f"X_Forwarded_For: {_LIE}",
        f"X-Real-IP: {_LIE}",
        f"X-Client-IP: {_LIE}",
        f"Forwarded: for={_LIE}",
        f"Client-IP: {_LIE}",
        f"X-Forwarded-For: {_LIE}\r\nX-Forwarded-For: {_LIE}",
    ],
)
def test_a_liar_on_the_internet_is_seen_with_his_own_address(before: Before, header: str) -> None:
    stack, website = before.stack, before.stack.names.website
    given = header.format(controller=before.traefik.pod_address)
    # Line by line, as nobody's library would send it.
    request = (f"GET /api/lab/client?{time.time()} HTTP/1.1", f"Host: {website}", "Connection: close")
    began = time.time()
    assert stack.client("head", website, *request, *given.split("\r\n")).startswith("HTTP/1.1 200")
    word = request[0].split("?")[1].split()[0]
    line = eventually(
        lambda: next(
            (each for each in stack.logs("webapp", "webapp", after=began).splitlines() if word in each), ""
        ),
        "the web application was not asked",
        seconds=15,
    )
    assert json.loads(line)["client"] == stack.lab.internet.address


def test_the_proxys_tls_port_is_closed_to_the_world(before: Before) -> None:
    (proxy,) = topology.public_addresses(before.stack.settings)["proxy"]
    asked = before.stack.lab.internet.ask(
        before.stack.client_line("ask", "GET", f"https://{proxy}/", f"Host: {before.stack.names.website}")
    )
    assert asked.returncode != 0


def test_a_pod_past_traefik_is_believed_nothing_or_does_not_come_in(before: Before) -> None:
    """Beside Traefik in its namespace policies let it in, and its word about a client counts for nothing; from elsewhere it
    reaches no port."""
    stack = before.stack
    proxy = stack.pods("proxy")[0]["status"]["podIP"]
    port = topology.PROXY.port("https").number
    line = stack.client_line(
        "ask",
        "GET",
        f"https://{proxy}:{port}/api/lab/client",
        f"Host: {stack.names.website}",
        f"X-Forwarded-For: {_LIE}",
    )
    liars = (Stranger("liar", NAMESPACE), Stranger("outsider", ELSEWHERE))
    with strangers(stack, liars) as pods:
        liar, outsider = (pods[each.name] for each in liars)
        answer = stack.in_pod(liar["metadata"]["name"], line, namespace=NAMESPACE)
        assert json.loads(answer.splitlines()[-1])["client"] == liar["status"]["podIP"]
        with pytest.raises(LabError):
            stack.in_pod(outsider["metadata"]["name"], line, namespace=ELSEWHERE)


@pytest.mark.proves("proxy", "roundcube")
@pytest.mark.parametrize("seconds", [0, _SLOW])
def test_60_mib_come_through(before: Before, seconds: int) -> None:
    answer = before.stack.client(
        "upload", before.stack.names.website, "/chwala/api/?lab", "60", str(seconds), seconds=seconds + 180
    )
    assert answer.startswith("HTTP/1.1 200"), answer


def test_what_is_larger_than_a_message_may_be_is_refused_by_the_proxy(before: Before) -> None:
    """Otherwise nobody could see above who let it through."""
    website = before.stack.names.website
    answer = before.stack.client("announced", website, "/chwala/api/?lab", "80", seconds=180)
    assert answer.startswith("HTTP/1.1 413"), answer


@pytest.mark.proves("proxy", "meet")
def test_signalling_stays_open(before: Before) -> None:
    """Its server says a word every 25 seconds, as Socket.IO does; nothing else keeps the proxy from ending it after a minute."""
    answer = before.stack.client(
        "upgraded", before.stack.names.website, "/meetmedia/signaling?lab", str(_SLOW), seconds=_SLOW + 60
    )
    assert answer == "HTTP/1.1 101 Switching Protocols, open, heartbeats"


@pytest.mark.proves("proxy", "collabora")
def test_the_socket_of_a_document_stays_open_and_carries_what_is_sent(before: Before) -> None:
    answer = before.stack.client(
        "upgraded", before.stack.names.website, "/cool/document/ws?lab", str(_SLOW), seconds=_SLOW + 60
    )
    assert answer == "HTTP/1.1 101 Switching Protocols, open, the same"


@pytest.mark.proves("meet")
def test_meet_finds_the_website_at_traefik(before: Before) -> None:
    stack = before.stack
    url = f"https://{before.traefik.address}/api/lab/client"
    answer = stack.in_pod(
        stack.pod("meet"), stack.client_line("ask", "GET", url, f"Host: {stack.names.website}")
    )
    # Without the name in its TLS greeting, Traefik shows a certificate of its own; what counts is who answers.
    assert json.loads(answer.splitlines()[-1])["host"] == stack.names.website


@pytest.mark.proves("proxy", "roundcube")
def test_a_phone_waits_for_a_quarter_of_an_hour(before: Before, phone: tuple[float, Popen[str]]) -> None:
    began, process = phone
    left = _HEARTBEAT + 90 - (time.monotonic() - began)
    said, _ = process.communicate(timeout=max(left, 5))
    seconds, _, answer = said.strip().rpartition("\n")[2].partition(" ")
    assert answer.startswith("HTTP/1.1 200 OK"), said
    assert "Status 1: nothing new" in answer, said
    assert float(seconds) >= _HEARTBEAT
