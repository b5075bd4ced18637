"""Who guesses passwords waits behind himself: the application checks few of his at once, and others' in between."""

from __future__ import annotations

import base64
import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from ssl import SSLSocket

import pytest

from model import budget
from tests.support.nginx import EITHER, Proxy, init_of, running, unverified
from tests.support.sandbox import PATIENCE, Sandbox, wait_for
from tests.support.stacks import SHIPPED, deployment, stack

_GUESSER, _OTHER = "127.0.0.9", "127.0.0.10"
_HOOK = "/api/webhooks/nginx"
_STACK = "single-node"


@pytest.fixture(scope="module", params=EITHER)
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    sandbox = Sandbox(tmp_path_factory.mktemp("logins") / "root")
    with running(sandbox, deployment(_STACK), init_of(request.param)) as proxy:
        yield proxy


@pytest.fixture
def proxy(started: Proxy) -> Iterator[Proxy]:
    """A proxy whose application is slow: it answers when the test is over, if not before."""
    started.asked.clear()
    started.answering.clear()
    yield started
    started.answering.set()


@pytest.fixture
def crowd() -> Iterator[ExitStack]:
    with ExitStack() as sessions:
        yield sessions


def session(proxy: Proxy, crowd: ExitStack, port: int, address: str, greeting: bytes) -> SSLSocket:
    """A session that was greeted."""
    plain = socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), PATIENCE, (address, 0))
    client = crowd.enter_context(unverified().wrap_socket(plain))
    assert client.recv(100).startswith(greeting)
    return client


def imap(proxy: Proxy, crowd: ExitStack, address: str) -> SSLSocket:
    """A session that has said a name and a password, and has heard nothing yet."""
    client = session(proxy, crowd, 6993, address, b"* OK")
    client.sendall(b"a LOGIN jane@example.org guess\r\n")
    return client


def submission(proxy: Proxy, crowd: ExitStack, address: str) -> SSLSocket:
    """The same by submission."""
    client = session(proxy, crowd, 6465, address, b"220")
    client.sendall(b"EHLO guesser.example\r\n")
    assert b"AUTH" in client.recv(1000)
    client.sendall(b"AUTH PLAIN " + base64.b64encode(b"\0jane@example.org\0guess") + b"\r\n")
    return client


def checked(proxy: Proxy, address: str) -> int:
    """How many passwords of a client the application has been asked about."""
    asked = list(proxy.asked)
    return sum(
        each["path"] == _HOOK and f"'Client-IP': '{address}'" in str(each["headers"]) for each in asked
    )


def test_few_passwords_of_one_client_are_checked_at_once_and_one_of_another_beside_them(
    proxy: Proxy, crowd: ExitStack
) -> None:
    guesses = [imap(proxy, crowd, _GUESSER) for _ in range(3 * budget.LOGINS_EACH)]
    wait_for(lambda: checked(proxy, _GUESSER) == budget.LOGINS_EACH)
    imap(proxy, crowd, _OTHER)
    wait_for(lambda: checked(proxy, _OTHER) == 1)
    # Whom the application is not asked about hears it; the order in which they came is the order of their turns.
    for late in guesses[budget.LOGINS_EACH :]:
        assert late.recv(200).startswith(b"a NO [UNAVAILABLE] ")
    assert checked(proxy, _GUESSER) == budget.LOGINS_EACH


def test_by_submission_a_client_that_asks_too_much_is_told_to_come_again(
    proxy: Proxy, crowd: ExitStack
) -> None:
    guesses = [submission(proxy, crowd, _GUESSER) for _ in range(budget.LOGINS_EACH + 1)]
    assert guesses[-1].recv(200).startswith(b"454 4.7.0 ")


def test_imap_and_submission_count_together(proxy: Proxy, crowd: ExitStack) -> None:
    for _ in range(budget.LOGINS_EACH):
        imap(proxy, crowd, _GUESSER)
    assert submission(proxy, crowd, _GUESSER).recv(200).startswith(b"454 4.7.0 ")


@pytest.mark.thorough
def test_all_clients_together_leave_the_application_room_for_mail(proxy: Proxy, crowd: ExitStack) -> None:
    together = budget.logins_together(stack(_STACK))
    addresses = [f"127.0.1.{number}" for number in range(1, 2 + together // budget.LOGINS_EACH)]
    last = [imap(proxy, crowd, address) for _ in range(budget.LOGINS_EACH) for address in addresses][-1]
    assert last.recv(200).startswith(b"a NO [UNAVAILABLE] ")
    assert sum(checked(proxy, address) for address in addresses) == together


@pytest.mark.parametrize("name", SHIPPED)
def test_passwords_and_policies_together_are_no_more_than_the_application_answers_in_time(name: str) -> None:
    settings = stack(name)
    more = settings.pods("proxy") * (budget.logins_together(settings) - budget.LOGINS_EACH)
    assert budget.mail_requests(settings) + more <= budget.webapp_workers(settings) * budget.WAITING


@pytest.mark.thorough
def test_many_people_behind_one_address_who_all_come_at_once_are_asked_about_by_turns(
    proxy: Proxy, crowd: ExitStack
) -> None:
    proxy.answering.set()
    people = 10 * budget.LOGINS_EACH
    for _ in range(people):
        imap(proxy, crowd, _GUESSER)
    wait_for(lambda: checked(proxy, _GUESSER) == people)


def test_few_logins_of_one_client_at_the_web_interface_are_checked_at_once(
    proxy: Proxy, crowd: ExitStack
) -> None:
    for _ in range(budget.LOGINS_EACH):
        login(proxy, crowd, _GUESSER)
    assert login(proxy, crowd, _GUESSER).getresponse().status == 429
    elsewhere = login(proxy, crowd, _OTHER)
    proxy.answering.set()
    assert elsewhere.getresponse().status == 200


def test_pages_are_no_logins(proxy: Proxy, crowd: ExitStack) -> None:
    for _ in range(budget.LOGINS_EACH):
        login(proxy, crowd, _GUESSER)
    page = login(proxy, crowd, _GUESSER, "/api/auth/info")
    proxy.answering.set()
    assert page.getresponse().status == 200


def login(
    proxy: Proxy, crowd: ExitStack, address: str, path: str = "/api/auth/login"
) -> http.client.HTTPSConnection:
    """A form that was sent."""
    where = ("127.0.0.1", proxy.sandbox.port(6443))
    client = http.client.HTTPSConnection(
        *where, context=unverified(), timeout=PATIENCE, source_address=(address, 0)
    )
    crowd.callback(client.close)
    client.request("POST", path, body=b"{}", headers={"Host": proxy.website})
    return client
