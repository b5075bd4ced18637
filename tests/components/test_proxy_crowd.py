"""A crowd before the proxy: as many sessions as a thousand people have."""

from __future__ import annotations

import http.client
import io
import re
import resource
import socket
import socketserver
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from model import budget
from tests.support.nginx import EITHER, PATIENCE, Proxy, init_of, running, unverified
from tests.support.sandbox import Sandbox, wait_for
from tests.support.stacks import deployment

pytestmark = pytest.mark.thorough

_OLD = 4 * 1024
"""What all workers of the image take together."""
_FIRST, _MANY = 150, 600
"""Clients before anything is measured, and those whose memory is."""


@pytest.fixture(scope="module", params=EITHER)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of the shipped single node."""
    with _many_files():
        sandbox = Sandbox(tmp_path_factory.mktemp("crowd") / "root")
        with running(sandbox, deployment("single-node"), init_of(request.param)) as started:
            yield started


@pytest.fixture(params=EITHER)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    """The same, and nobody was there before: what a crowd has left behind in the workers would be used again."""
    with (
        _many_files(),
        running(Sandbox(tmp_path / "root"), deployment("single-node"), init_of(request.param)) as started,
    ):
        yield started


@contextmanager
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * _OLD:
        pytest.skip(f"this test needs {2 * _OLD} open files, and may have {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * _OLD), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_mail_session_that_waits_takes_what_the_budget_says_within_a_fifth(fresh: Proxy) -> None:
    with _mailboxes() as port, ExitStack() as crowd:
        fresh.more.update({"Auth-Status": "OK", "Auth-Server": "127.0.0.1", "Auth-Port": str(port)})
        each = _taken(fresh, lambda number: _waits_for_mail(fresh, crowd, number))
        fresh.more.clear()
    assert each == pytest.approx(budget.PROXY_MAIL_KIB, rel=0.2)


def test_a_request_that_waits_takes_what_the_budget_says_within_a_fifth(fresh: Proxy) -> None:
    with ExitStack() as crowd:
        fresh.answering.clear()
        each = _taken(fresh, lambda number: _waits_for_an_answer(fresh, crowd, number))
        fresh.answering.set()
    assert each == pytest.approx(budget.PROXY_WEB_KIB, rel=0.2)


def test_more_sessions_than_the_image_takes_are_greeted_and_the_web_is_still_there(proxy: Proxy) -> None:
    with ExitStack() as crowd:
        for _ in range(_OLD + 200):
            client = socket.create_connection(("127.0.0.1", proxy.sandbox.port(6143)), PATIENCE)
            crowd.enter_context(client)
            assert client.recv(4).startswith(b"* OK")
        assert proxy.get("/health").status == 200


def test_ten_thousand_guesses_are_braked_and_a_right_password_from_elsewhere_gets_in(proxy: Proxy) -> None:
    asked = len(proxy.asked)
    codes = Counter(_guesses(proxy, "127.0.0.9", 10_000))
    reached = len(proxy.asked) - asked
    elsewhere = _guesses(proxy, "127.0.0.10", 1)
    # A burst, and one a second for as long as it took.
    assert codes[429] > 9_000
    assert codes[200] == reached
    assert elsewhere == [200]


def _guesses(proxy: Proxy, address: str, number: int) -> list[int]:
    """The answers to logins at the web interface from one address."""
    where = ("127.0.0.1", proxy.sandbox.port(6443))
    client = http.client.HTTPSConnection(
        *where, context=unverified(), timeout=PATIENCE, source_address=(address, 0)
    )
    codes = []
    for _ in range(number):
        client.request("POST", "/api/auth/login", body=b"{}", headers={"Host": proxy.website})
        answer = client.getresponse()
        answer.read()
        codes.append(answer.status)
    client.close()
    return codes


def _taken(proxy: Proxy, comes: Callable[[int], None]) -> float:
    """KiB that each client adds while all wait. The first ones fill what workers keep ready for any."""
    for number in range(_FIRST):
        comes(number)
    before = _memory(proxy)
    for number in range(_FIRST, _FIRST + _MANY):
        comes(number)
    return (_memory(proxy) - before) / _MANY


def _waits_for_mail(proxy: Proxy, crowd: ExitStack, number: int) -> None:
    stream = _from_anywhere(proxy, crowd, 6993, number)
    assert stream.readline().startswith(b"* OK")
    for line, answer in ((b"a LOGIN jane@example.org secret", b"a OK"), (b"b IDLE", b"+")):
        stream.write(line + b"\r\n")
        assert stream.readline().startswith(answer)


def _waits_for_an_answer(proxy: Proxy, crowd: ExitStack, number: int) -> None:
    asked = len(proxy.asked)
    head = f"POST /Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.1\r\nHost: {proxy.website}\r\n"
    stream = _from_anywhere(proxy, crowd, 6443, number)
    stream.write(f"{head}Authorization: Basic amFuZTpz\r\nContent-Length: 300\r\n\r\n{'x' * 300}".encode())
    wait_for(lambda: len(proxy.asked) > asked)


def _from_anywhere(proxy: Proxy, crowd: ExitStack, port: int, number: int) -> io.RawIOBase:
    """A connection behind TLS from one of many addresses: each of them may do so much a minute."""
    address = f"127.1.{number // 200}.{number % 200 + 1}"
    where = ("127.0.0.1", proxy.sandbox.port(port))
    plain = socket.create_connection(where, PATIENCE, source_address=(address, 0))
    client = crowd.enter_context(unverified().wrap_socket(plain))
    return crowd.enter_context(client.makefile("rwb", buffering=0))


@contextmanager
def _mailboxes() -> Iterator[int]:
    """The port of a server that lets everybody in and has no news for anybody."""
    with _Mailboxes(("127.0.0.1", 0), _Mailbox) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class _Mailboxes(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


class _Mailbox(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        tag = b""
        while line := self.rfile.readline():
            tag = tag or line.split()[0]
            if line.endswith((b"}\r\n", b"IDLE\r\n")):
                # nginx hands a name and a password over as literals (RFC 3501 section 4.3).
                self.wfile.write(b"+ go on\r\n")
            else:
                self.wfile.write(tag + b" OK done\r\n")
                tag = b""


def _memory(proxy: Proxy) -> int:
    """KiB that the workers of nginx do not share."""
    master = proxy.sandbox.path("/run/nginx.pid").read_text().strip()
    workers = subprocess.run(["pgrep", "-P", master], capture_output=True, text=True, check=True).stdout
    texts = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in workers.split()]
    return sum(int(kib) for text in texts for kib in re.findall(r"Private_\w+: +(\d+) kB", text))
