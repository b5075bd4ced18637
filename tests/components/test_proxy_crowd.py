"""A crowd before the proxy: as many sessions as a thousand people have."""

from __future__ import annotations

import http.client
import re
import resource
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from model import budget
from tests.support.nginx import EITHER, PATIENCE, Proxy, init_of, running, unverified
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment

pytestmark = pytest.mark.thorough

_OLD = 4 * 1024
"""What all workers of the image take together."""


@pytest.fixture(scope="module", params=EITHER)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of the shipped single node."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * _OLD:
        pytest.skip(f"this test needs {2 * _OLD} open files, and may have {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * _OLD), hard))
    sandbox = Sandbox(tmp_path_factory.mktemp("crowd") / "root")
    with running(sandbox, deployment("single-node"), init_of(request.param)) as started:
        yield started
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_session_takes_no_more_memory_than_the_budget_says(proxy: Proxy) -> None:
    number = 300
    before = _memory(proxy)
    with ExitStack() as crowd:
        for _ in range(number):
            plain = socket.create_connection(("127.0.0.1", proxy.sandbox.port(6993)), PATIENCE)
            client = crowd.enter_context(unverified().wrap_socket(plain))
            assert client.recv(4).startswith(b"* OK")
        # Comes first in this file: later, what a crowd has left behind in the workers is used again.
        taken = (_memory(proxy) - before) / number
    assert taken <= budget.PROXY_SESSION_KIB


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


def _memory(proxy: Proxy) -> int:
    """KiB that the workers of nginx do not share."""
    master = proxy.sandbox.path("/run/nginx.pid").read_text().strip()
    workers = subprocess.run(["pgrep", "-P", master], capture_output=True, text=True, check=True).stdout
    texts = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in workers.split()]
    return sum(int(kib) for text in texts for kib in re.findall(r"Private_\w+: +(\d+) kB", text))
