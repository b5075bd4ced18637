"""Every path of the web reaches its backend, and what is internal stays inside."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import pytest

from model.accounts import OPERATOR
from tests.acceptance.asking import basic
from tests.acceptance.stack import Stack, eventually


@dataclass(frozen=True)
class Route:
    """A request, where `*` is a word of its own, and the daemon that answers it."""

    daemon: str
    path: str
    status: str = "200"
    method: str = "GET"
    host: str = "website"
    """Which of the stack's names (model/names.py); of several the first."""

    def __str__(self) -> str:
        return f"{self.daemon} {self.path}" + ("" if self.host == "website" else f" at {self.host}")

    def ask(self, stack: Stack, word: str) -> str:
        """The answer to the client on the internet."""
        return stack.client(
            "ask", self.method, f"https://{_host(stack, self.host)}{self.path.replace('*', word)}"
        )


ROUTES = (
    Route("webapp", "/?*"),
    Route("webapp", "/?*", host="admin"),
    Route("webapp", "/?*", host="reseller"),
    Route("webapp", "/login?*"),
    Route("webapp", "/api/health/readiness?*"),
    Route("webapp", "/api/*", "404"),
    Route("webapp", "/api/webhooks/meet?*", "403", "POST"),
    Route("webapp", "/api/webhooks/payment/mollie?*", "404", "POST"),
    Route("webapp", "/oauth/authorize?*"),
    Route("webapp", "/storage/*"),
    Route("webapp", "/.well-known/openid-configuration?*"),
    Route("webapp", "/mail/config-v1.1.xml?emailaddress=*@example.org", host="discovery"),
    Route("webapp", "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=*@example.org"),
    Route("webapp", "/autodiscover/autodiscover.xml?*", "404", host="discovery"),
    Route("meet", "/meetmedia/api/ping?*", "403"),
    Route("roundcube", "/webmail/?*"),
    Route("roundcube", "/chwala/api/?*"),
    Route("roundcube", "/Microsoft-Server-ActiveSync?*", "401", "OPTIONS"),
    Route("roundcube", "/Microsoft-Server-ActiveSync?*", "401", "OPTIONS", host="activesync"),
    Route("imap", "/.well-known/caldav?*", "301"),
    Route("imap", "/.well-known/carddav?*", "301", "PROPFIND"),
    Route("imap", "/dav/principals/user/*", "401", "PROPFIND"),
    Route("imap", "/freebusy/user/*", "404"),
    Route("collabora", "/browser/*/cool.html"),
    Route("collabora", "/hosting/discovery?*"),
    Route("collabora", "/hosting/capabilities?*"),
    Route("collabora", "/cool/*/ws"),
    Route("collabora", "/cool/*"),
    Route("collabora", "/lool/*"),
)
"""What upstream's proxy passes on, and where to."""


def _host(stack: Stack, name: str) -> str:
    found = getattr(stack.names, name)
    return found if isinstance(found, str) else found[0]


def _word() -> str:
    """Something that no other request holds."""
    return f"seen{uuid4().hex[:12]}"


def _written(stack: Stack, daemon: str, word: str, after: float) -> list[str]:
    """Lines of a daemon's log that hold a word."""
    return [line for line in stack.logs(daemon, daemon, after=after).splitlines() if word in line]


def _seen_by_the_application(stack: Stack, words: Sequence[str], after: float) -> list[str]:
    """Lines of the web application's log that hold one of these, after it has written of a later request."""
    last = _word()
    Route("webapp", "/?*").ask(stack, last)
    eventually(lambda: _written(stack, "webapp", last, after), "the web application writes no log")
    log = stack.logs("webapp", "webapp", after=after)
    return [line for line in log.splitlines() if any(word in line for word in words)]


@pytest.mark.parametrize(
    "route",
    [pytest.param(each, id=str(each), marks=pytest.mark.proves("proxy", each.daemon)) for each in ROUTES],
)
def test_a_path_reaches_its_backend(stack: Stack, route: Route) -> None:
    word, began = _word(), time.time()
    answer = route.ask(stack, word)
    assert answer.splitlines()[0] == route.status, answer
    lines = eventually(
        lambda: _written(stack, route.daemon, word, began), f"{route.daemon} was not asked", seconds=15
    )
    if route.daemon == "webapp":
        assert json.loads(lines[0])["client"] == stack.lab.internet.address


@pytest.mark.proves("proxy", "meet")
def test_signalling_becomes_a_websocket(stack: Stack) -> None:
    word, began, website = _word(), time.time(), stack.names.website
    # Key and answer are the example of RFC 6455, section 1.3.
    head = stack.client(
        "head",
        website,
        f"GET /meetmedia/signaling?{word} HTTP/1.1",
        f"Host: {website}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    assert head.startswith("HTTP/1.1 101"), head
    assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    eventually(lambda: _written(stack, "meet", word, began), "Meet was not asked", seconds=15)


@pytest.mark.proves("proxy")
@pytest.mark.parametrize(
    ("url", "status", "location"),
    [
        ("https://{website}/health", "200", None),
        ("https://{website}/healthz", "200", None),
        ("https://{website}/roundcubemail/?_task=mail", "301", "/webmail/?_task=mail"),
        ("https://{policy_host}/.well-known/mta-sts.txt", "410", None),
        ("http://{website}/some/where?now", "301", "https://{website}/some/where?now"),
        ("http://{website}/api/webhooks/nginx", "301", "https://{website}/api/webhooks/nginx"),
    ],
)
def test_the_proxy_answers_by_itself(stack: Stack, url: str, status: str, location: str | None) -> None:
    names = {"website": stack.names.website, "policy_host": stack.names.policy_hosts[0]}
    lines = stack.client("ask", "GET", url.format(**names)).splitlines()
    assert lines[0] == status
    found = [line.removeprefix("Location: ") for line in lines if line.startswith("Location: ")]
    assert found == ([location.format(**names)] if location else [])


@pytest.mark.parametrize(
    ("daemon", "path", "text"),
    [
        pytest.param(daemon, path, text, id=daemon, marks=pytest.mark.proves("proxy", daemon))
        for daemon, path, text in (
            ("prometheus", "/prometheus/-/ready", "Prometheus"),
            ("alertmanager", "/alertmanager/-/ready", "OK"),
            ("victorialogs", "/select/vmui/", "VictoriaLogs"),
        )
    ],
)
def test_monitoring_asks_for_the_operators_password(stack: Stack, daemon: str, path: str, text: str) -> None:
    url = f"https://{stack.names.website}{path}"
    for wrong in ("", basic("somebody", "else"), basic(OPERATOR, "guessed")):
        answer = stack.client("ask", "GET", url, *([wrong] if wrong else []))
        assert answer.splitlines()[0] == "401", answer
        assert text not in answer.splitlines()[-1]
    given = stack.program.must("config", "get", "--stack", stack.mode, "kolab:monitoringPassword").strip()
    answer = stack.client("ask", "GET", url, basic(OPERATOR, given))
    assert answer.splitlines()[0] == "200", answer
    assert text in answer


HOOKS = (
    "nginx",
    "nginx-roundcube",
    "nginx-httpauth",
    "cyrus-sasl",
    "metrics",
    "policy/greylist",
    "policy/ratelimit",
    "policy/spf",
    "policy/submission",
    "policy/mail/filter",
)
"""What only our daemons may call: whoever else can, has an oracle for passwords."""


def _spellings(path: str) -> list[str]:
    """Other ways to write a path that a server may take for the same."""
    folder, _, last = path.rpartition("/")
    return [
        path,
        f"{path}/",
        path.upper(),
        path.replace("/", "//"),
        f"{folder}/%{ord(last[0]):02x}{last[1:]}",
        f"/nowhere/..{path}",
        f"/nowhere/%2e%2e{path}",
        f"{folder}/./{last}",
    ]


@pytest.mark.proves("proxy", "webapp")
def test_the_application_would_answer_its_hooks(stack: Stack) -> None:
    """Otherwise nobody could see from outside whether they are closed."""
    pod = stack.pod("proxy")
    address = stack.pods("webapp")[0]["status"]["podIP"]
    url = f"http://{address}:8000/api/webhooks/metrics"
    answer = stack.in_pod(pod, stack.client_line("ask", "GET", url, "Host: webapp"))
    assert answer.startswith("200"), answer


@pytest.mark.proves("proxy", "webapp")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_internal_hook_cannot_be_called_from_outside(stack: Stack, hook: str, method: str) -> None:
    _refused(stack, "website", method, f"/api/webhooks/{hook}", "403")


@pytest.mark.proves("proxy", "webapp")
@pytest.mark.parametrize("path", ["/horizon", "/horizon/dashboard", "/horizon/api/stats"])
@pytest.mark.parametrize("host", ["website", "admin"])
def test_the_dashboard_of_the_queue_is_closed(stack: Stack, host: str, path: str) -> None:
    """Its own gate lets everybody in."""
    _refused(stack, host, "GET", path, "403")


def _refused(stack: Stack, host: str, method: str, path: str, status: str) -> None:
    word, began = _word(), time.time()
    urls = [f"https://{_host(stack, host)}{each}?{word}" for each in _spellings(path)]
    found = dict(zip(urls, stack.client("statuses", method, *urls).splitlines(), strict=True))
    assert set(found.values()) == {status}, found
    assert not _seen_by_the_application(stack, [word], began)


@pytest.mark.proves("proxy", "webapp")
@pytest.mark.parametrize(
    "header",
    [
        # The application believes this one before all else.
        "X-Client-IP: 8.8.8.8",
        "x-client-ip: 8.8.8.8",
        "X-Forwarded-For: 8.8.8.8",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-For: 8.8.8.8, 10.244.1.1",
        "X-Forwarded-For: , 8.8.8.8,",
        "X-Real-IP: 8.8.8.8",
        "Forwarded: for=8.8.8.8",
        "X_Client_IP: 8.8.8.8",
        "Client-IP: 8.8.8.8",
    ],
)
def test_the_application_sees_the_true_address_whatever_a_client_says(stack: Stack, header: str) -> None:
    answer = stack.client("ask", "GET", f"https://{stack.names.website}/api/lab/client", header)
    assert json.loads(answer.splitlines()[-1])["client"] == stack.lab.internet.address, answer


@pytest.mark.proves("proxy", "webapp")
@pytest.mark.parametrize(
    "host",
    [
        "webapp",
        "webapp:8000",
        "webapp.kolab.svc.cluster.local",
        "localhost",
        "127.0.0.1",
        "{address}",
        "{mx}",
        "{website}.elsewhere.test",
        "elsewhere.test",
    ],
)
def test_a_foreign_host_does_not_get_through(stack: Stack, host: str) -> None:
    """The hooks' own protection is the Host header, which anybody can send."""
    word, began, names = _word(), time.time(), stack.names
    address = stack.lab.internet.resolve(names.website)[0]
    given = host.format(address=address, mx=names.mx, website=names.website)
    for path in ("/", "/api/webhooks/metrics", "/api/lab/client"):
        answer = stack.client("ask", "GET", f"https://{names.website}{path}?{word}", f"Host: {given}")
        assert answer.startswith("421"), answer
    assert not _seen_by_the_application(stack, [word], began)


@pytest.mark.proves("proxy", "webapp")
def test_a_foreign_host_in_the_request_line_does_not_get_through(stack: Stack) -> None:
    word, began, website = _word(), time.time(), stack.names.website
    line = f"GET https://webapp/api/webhooks/metrics?{word} HTTP/1.1"
    assert stack.client("head", website, line, f"Host: {website}").startswith("HTTP/1.1 421")
    assert not _seen_by_the_application(stack, [word], began)
