"""What strangers try at the proxy, on a real nginx: their word about their address, closed paths in disguise, guesses."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.nginx import EITHER, Proxy, init_of, raw_request, running, unverified
from tests.support.sandbox import PATIENCE, Sandbox, wait_for
from tests.support.stacks import deployment

pytestmark = pytest.mark.security

ADDRESS_HEADERS = (
    "X-Client-IP",
    "X-Real-IP",
    "X-Forwarded-For",
    "Forwarded",
    "True-Client-IP",
    "CF-Connecting-IP",
)
LIE = "203.0.113.77"
WAYS = {
    "/": "webapp",
    "/api/v4/user": "webapp",
    "/api/webhooks/meet": "webapp",
    "/webmail/": "roundcube",
    "/chwala/api/": "roundcube",
    "/Microsoft-Server-ActiveSync": "roundcube",
    "/browser/dist/cool.html": "collabora",
    "/cool/a/ws": "collabora",
    "/meetmedia/signaling": "meet",
    "/meetmedia/api/ping": "meet",
}


@pytest.fixture(scope="module", params=EITHER)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of the stack `cluster`, in either generation of Kolab's images."""
    folder = tmp_path_factory.mktemp("attacked")
    with running(Sandbox(folder / "root"), deployment("cluster"), init_of(request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of a stack without Meet and office."""
    with running(Sandbox(tmp_path_factory.mktemp("bare") / "root"), deployment("bare")) as made:
        yield made


def told(proxy: Proxy, path: str, headers: list[str]) -> tuple[str, list[str]]:
    """The backend that answers, and every address that it was told."""
    answer = raw_request(proxy, [f"GET {path} HTTP/1.1", f"Host: {proxy.website}", *headers])
    assert answer.status == 200, (path, answer.status)
    names = {name.lower() for name in ADDRESS_HEADERS}
    pairs = [(str(name), str(value)) for name, value in answer.asked["pairs"]]  # type: ignore[attr-defined]
    return str(answer.asked["backend"]), [value for name, value in pairs if name in names]


@pytest.mark.parametrize("spelling", ["once", "empty first", "three times", "capitals", "upgrade"])
@pytest.mark.parametrize("name", ADDRESS_HEADERS)
@pytest.mark.parametrize(("path", "backend"), WAYS.items())
def test_a_client_says_nothing_about_its_address_on_any_way(
    proxy: Proxy, path: str, backend: str, name: str, spelling: str
) -> None:
    headers = {
        "once": [f"{name}: {LIE}"],
        "empty first": [f"{name}:", f"{name}: {LIE}"],
        "three times": [f"{name}: 198.51.100.1", f"{name}: {LIE}", f"{name}: 10.42.0.1"],
        "capitals": [f"{name.upper()}: {LIE}"],
        "upgrade": ["Upgrade: websocket", "Connection: upgrade", f"{name}: {LIE}"],
    }[spelling]
    who, addresses = told(proxy, path, headers)
    assert who == backend
    assert set(addresses) <= {"127.0.0.1"}, addresses


@pytest.mark.parametrize(
    "path", [path for path, backend in WAYS.items() if backend in ("webapp", "roundcube")]
)
def test_the_application_is_told_the_address_that_nginx_has_seen(proxy: Proxy, path: str) -> None:
    _, addresses = told(proxy, path, [f"X-Forwarded-For: {LIE}"])
    assert addresses == ["127.0.0.1"] * 3


@pytest.mark.parametrize("path", ["/meetmedia/signaling", "/meetmedia/api/ping", "/cool/a/ws", "/browser/x"])
def test_a_part_that_is_switched_off_is_no_way_to_the_application(bare: Proxy, path: str) -> None:
    answer = raw_request(bare, [f"GET {path} HTTP/1.1", f"Host: {bare.website}", f"X-Real-IP: {LIE}"])
    assert answer.status == 403


CLOSED = [
    "/horizon", "/horizon/", "/HORIZON", "/%68orizon", "/horizo%6e", "//horizon", "/./horizon", "/x/../horizon",
    "/horizon;x", "/horizon.php", "/horizon/../horizon", "/horizon/../login", "/login/..%2fhorizon", "/%2e%2e/horizon",
    "/%2fhorizon", "/index.php/horizon", "/INDEX.PHP/horizon", "/index.php", "/index%2ephp/horizon", "//index.php/horizon",
    "/index.php/api/webhooks/nginx", "/index.php//horizon", "/index.php;/horizon", "/.%2e/horizon", "/x/%2e./horizon",
    "/api/webhooks/nginx", "/api/webhooks", "/api//webhooks/nginx", "/api/./webhooks/nginx", "/api/x/../webhooks/nginx",
    "/api/webhooks/meet/../nginx", "/api/webhooks/meet/..%2fnginx", "/api/webhooks%2fnginx", "/api%2fwebhooks%2fnginx",
    "/api\\webhooks\\nginx", "/api%5cwebhooks%5cnginx", "/api/webhooks/meet%2f..%2fnginx", "/API/WEBHOOKS/NGINX",
    "/api/webhook%73/nginx", "/api/webhooks/nginx-httpauth?x=meet", "/api/webhooks/%6eginx", "/api/webhooks/policy/spf",
    "/cool/convert-to/pdf", "/cool/convert-to", "/lool/convert-to", "/COOL/convert-to/pdf", "/cool//convert-to",
    "/cool/%63onvert-to", "/cool/./convert-to", "/cool/x/../convert-to", "/cool/adminws", "/lool/adminws", "/cool/adminws/",
    "/cool/getMetrics", "/cool/getMetrics/", "/cool/GETMETRICS", "/cool/extract-link-targets", "/cool/get-thumbnail",
    "/cool/transform-document-structure", "/cool/render-search-result", "/browser/dist/admin", "/browser/dist/admin/",
    "/browser/dist/admin/admin.html", "/browser/abc123/admin/adminSettings.html", "/browser//dist//admin",
    "/browser/dist/adm%69n/admin.html", "/browser/x/../dist/admin",
]  # fmt: skip


@pytest.mark.parametrize("path", CLOSED)
def test_what_is_closed_stays_closed_in_every_spelling(proxy: Proxy, path: str) -> None:
    for method in ("GET", "POST"):
        answer = raw_request(
            proxy, [f"{method} {path} HTTP/1.1", f"Host: {proxy.website}", "Content-Length: 0"]
        )
        assert answer.status in (400, 403), (method, path, answer.status, answer.body[:200])


OPEN = [
    ("/api/webhooks/meet", "webapp"), ("/api/webhooks/payment/stripe", "webapp"), ("/login?next=/horizon", "webapp"),
    ("/login?file=..%2f..%5cx", "webapp"), ("/api/v4/users?search=a%2Fb", "webapp"), ("/horizons", "webapp"),
    ("/storage/a%20b.png", "webapp"), ("/.well-known/openid-configuration", "webapp"), ("/a..b/c", "webapp"),
    ("/webmail/?_task=mail&_mbox=INBOX%2FSent", "roundcube"), ("/dav/calendars/user/jane%40example.org/", "imap"),
    ("/dav/calendars/user/jane@example.org/M%C3%BCll%20abholen/", "imap"), ("/dav/addressbooks/user/a%2Bb/", "imap"),
    ("/cool/https%3A%2F%2Fexample.org%2Fchwala%2Fapi%2F%3Fmethod%3Ddocument/ws?WOPISrc=x", "collabora"),
    ("/cool/insertfile?x=1", "collabora"), ("/browser/0a1b2c/cool.html?WOPISrc=x", "collabora"),
    ("/browser/0a1b2c/images/administrator.svg", "collabora"), ("/hosting/discovery", "collabora"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "backend"), OPEN)
def test_what_people_need_stays_open(proxy: Proxy, path: str, backend: str) -> None:
    answer = raw_request(proxy, [f"GET {path} HTTP/1.1", f"Host: {proxy.website}"])
    assert (answer.status, answer.asked["backend"]) == (200, backend)


def test_the_path_of_a_document_arrives_as_it_was_written(proxy: Proxy) -> None:
    path = "/cool/https%3A%2F%2Fexample.org%2Fx%3Fa%3Db/ws?compat=/ws"
    assert raw_request(proxy, [f"GET {path} HTTP/1.1", f"Host: {proxy.website}"]).asked["path"] == path


def test_plain_http_sends_nobody_to_a_foreign_host(proxy: Proxy) -> None:
    assert proxy.get("/", port=6081, host="evil.example").status == 421
    assert proxy.get("/", port=6081).status == 301


def test_guesses_at_the_web_interface_are_braked_and_everything_else_is_not(proxy: Proxy) -> None:
    lines = ["POST /api/auth/login HTTP/1.1", f"Host: {proxy.website}", "Content-Length: 0"]
    codes = [raw_request(proxy, lines).status for _ in range(150)]
    assert codes[:60] == [200] * 60
    assert 429 in codes
    assert proxy.get("/api/v4/user").status == 200
    assert proxy.get("/webmail/").status == 200


_PACED = {
    "127.0.1.1": "/dav/calendars/",
    "127.0.1.2": "/Microsoft-Server-ActiveSync?Cmd=Sync",
    "127.0.1.3": "/prometheus/graph",
}
"""Who guesses -> where: each address is counted apart."""


@pytest.mark.parametrize("address", _PACED)
def test_guesses_by_programs_are_paced_and_others_do_not_wait_for_them(proxy: Proxy, address: str) -> None:
    """A tenth of a minute's worth at once, then one after the other; what brings no password is not counted."""
    with ExitStack() as crowd:
        # All are there before the first one asks: on a busy machine that may take longer than their turns.
        clients = [_connected(proxy, crowd, address) for _ in range(101)]
        began = time.monotonic()
        *guesses, other = clients
        for client in guesses:
            _ask(proxy, client, _PACED[address], "Basic amFuZTpndWVzcw==")
        _ask(proxy, other, _PACED[address], "Bearer x")
        wait_for(lambda: _answered([other]) and len(_answered(guesses)) >= 55)
        assert len(_answered(guesses)) < 100
        wait_for(lambda: len(_answered(guesses)) == 100)
        assert time.monotonic() - began > 2
        assert {_status(client) for client in guesses} <= {b"200", b"401"}


def test_who_has_a_minutes_worth_of_guesses_waiting_is_turned_away(proxy: Proxy) -> None:
    with ExitStack() as crowd:
        guesses: list[ssl.SSLSocket] = []
        said: set[bytes] = set()
        # On a slow machine some have had their turn before the last one asks.
        while b"429" not in said and len(guesses) < 950:
            guesses += [
                _asking(proxy, crowd, "127.0.1.4", "/dav/calendars/", "Basic eDp5") for _ in range(50)
            ]
            said |= {_status(client) for client in _answered(guesses)}
        assert b"429" in said
        assert len(guesses) > 600


def _asking(proxy: Proxy, crowd: ExitStack, address: str, path: str, credentials: str) -> ssl.SSLSocket:
    """A request that was sent from an address of the loopback network; its answer is still to be read."""
    client = _connected(proxy, crowd, address)
    _ask(proxy, client, path, credentials)
    return client


def _connected(proxy: Proxy, crowd: ExitStack, address: str) -> ssl.SSLSocket:
    where = ("127.0.0.1", proxy.sandbox.port(6443))
    plain = socket.create_connection(where, PATIENCE, source_address=(address, 0))
    # In TLS 1.3 tickets follow the handshake, and would look like an answer.
    older = unverified()
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    return crowd.enter_context(older.wrap_socket(plain))


def _ask(proxy: Proxy, client: ssl.SSLSocket, path: str, credentials: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: {proxy.website}\r\nAuthorization: {credentials}\r\n\r\n"
    client.sendall(head.encode())


def _answered(clients: list[ssl.SSLSocket]) -> list[ssl.SSLSocket]:
    poll = select.poll()
    places = {client.fileno(): client for client in clients}
    for place in places:
        poll.register(place, select.POLLIN)
    return [places[place] for place, _ in poll.poll(0)]


def _status(client: ssl.SSLSocket) -> bytes:
    return client.recv(4096).split()[1]
