"""The message that comes back: by real Postfix and Cyrus, with a stand-in for the proxy, which asks for the password."""

from __future__ import annotations

import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from model import topology
from model.monitoring.round_trip import late
from model.names import Names
from tests.monitoring.checkers import program
from tests.support.cyrus import PASSWORD, Cyrus, cyrus
from tests.support.deploy import Deployment, deploy
from tests.support.doors import tls_before
from tests.support.mail_client import Running, certified, command, started
from tests.support.mariadb import mariadb
from tests.support.ports import free_port
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import wait_for
from tests.support.stacks import changed

JANE = "jane@example.org"
_DAEMON = "round-trip"
_TOLD = {"monitoring": {"roundTrip": {"mailbox": JANE, "every": 2}}}


def ours() -> Deployment:
    """A stack that writes to itself."""
    return deploy(changed("single-node", _TOLD))


def test_it_takes_the_ways_of_a_mail_program_and_knows_where_they_are() -> None:
    settings = changed("single-node", _TOLD)
    names, pod = Names.of(settings), ours().workload("round-trip").pod
    assert {f"--smtp={names.smtp}:465", f"--imap={names.imap}:993"} <= {*command(ours(), _DAEMON)}
    [alias] = pod["hostAliases"]
    assert alias["ip"] == topology.load_balancer_addresses(settings)["proxy"][0]
    assert {names.smtp, names.imap} == {*alias["hostnames"]}


def test_mail_is_late_when_two_messages_did_not_come_back() -> None:
    trip = changed("single-node", _TOLD).monitoring.trip
    assert trip
    assert late(trip) == 9 * 60


@dataclass
class Front:
    """The proxy's place: asks for the password and hands on. `swallows` keeps messages from arriving."""

    back: int
    swallows: bool = False

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 (the library's name)
        """Hands a message on to where Postfix takes what is ours."""
        if not self.swallows:
            assert isinstance(envelope.content, bytes)
            with smtplib.SMTP("127.0.0.1", self.back) as client:
                client.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.content)
        return "250 2.0.0 Ok"


@dataclass
class Stack:
    """Postfix and Cyrus, and their doors with TLS."""

    front: Front
    postfix: Mailserver
    cyrus: Cyrus
    smtp: int
    imap: int
    authorities: Path


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    deployed = deploy(changed("single-node", {}))
    answers = free_port()
    with ExitStack() as opened, tempfile.TemporaryDirectory() as folder:
        database = opened.enter_context(mariadb())
        behind = opened.enter_context(cyrus(deployed, answers))
        behind.login(JANE)
        lmtp = behind.sandbox.port(11024)
        before = opened.enter_context(
            mailserver(deployed, None, database=database, cyrus=lmtp, answers=answers)
        )
        tls, authorities = certified(Path(folder))
        front = Front(answers)
        server = Controller(
            front, "127.0.0.1", free_port(), ssl_context=tls, auth_required=True,
            auth_require_tls=False, authenticator=_asked,
        )  # fmt: skip
        server.start()
        opened.callback(server.stop)
        imap = opened.enter_context(tls_before(tls, behind.sandbox.port(11143)))
        yield Stack(front, before, behind, server.port, imap, authorities)


def _asked(_: SMTP, __: Session, ___: Envelope, mechanism: str, login: object) -> AuthResult:
    good = isinstance(login, LoginPassword) and (login.login, login.password) == (
        JANE.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=good, handled=good)


SUCCESS, SECONDS = "kolab_round_trip_last_success_timestamp_seconds", "kolab_round_trip_seconds"


def travelling(
    to: Stack, folder: Path, *, password: str = PASSWORD, verified: bool = True
) -> AbstractContextManager[Running]:
    """The pod's program, which sends a message every three seconds."""
    return started(
        ours(),
        _DAEMON,
        {"--smtp": f"localhost:{to.smtp}", "--imap": f"localhost:{to.imap}", "--every": "3"},
        folder,
        password=password,
        environment={"SSL_CERT_FILE": str(to.authorities)} if verified else {"SSL_CERT_DIR": "/nonexistent"},
    )


@pytest.mark.thorough
def test_a_message_comes_back_and_is_gone_while_those_of_others_stay(running: Stack, tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "joe@sender.test", JANE
    message["Subject"] = "Re: Round trip of the mail server"
    message.set_content("text\n")
    with smtplib.SMTP("127.0.0.1", running.postfix.sandbox.port(10025)) as client:
        client.send_message(message)
    with travelling(running, tmp_path) as traveller:
        wait_for(lambda: bool(traveller.number(SUCCESS)))
        assert 0 < (traveller.number(SECONDS) or 0) < 60
        assert traveller.number('kolab_round_trip_failures_total{step="wait"}') == 0
        done = subprocess.run(
            [program("promtool"), "check", "metrics"], input=traveller.page(), text=True, capture_output=True, check=False
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert "came back after" in traveller.out.read_text()
    wait_for(running.postfix.queue_is_empty)
    # Signed on its way, as any of our mail is.
    assert "Round trip of the mail server" in running.postfix.signer.subjects()
    left = running.cyrus.messages(JANE, "Round trip of the mail server")
    assert [each for each in left if "joe@sender.test" not in each][1:] == []
    assert any("joe@sender.test" in each for each in left)


@pytest.mark.thorough
def test_what_an_earlier_pod_sent_is_cleared_away_and_counts_for_nothing(
    running: Stack, tmp_path: Path
) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["X-Kolab-Round-Trip"] = JANE, JANE, "of-another-day"
    message["Subject"] = "Round trip of the mail server"
    message.set_content("text\n")
    running.front.swallows = True
    try:
        with smtplib.SMTP("127.0.0.1", running.front.back) as client:
            client.send_message(message)
        wait_for(
            lambda: any("of-another-day" in each for each in running.cyrus.messages(JANE, "Round trip of"))
        )
        with travelling(running, tmp_path) as traveller:
            wait_for(lambda: bool(traveller.number('kolab_round_trip_failures_total{step="wait"}')))
            assert traveller.number(SUCCESS) == 0
            assert traveller.number(SECONDS) is None
            assert "is not in the mailbox after 3 s" in traveller.out.read_text()
        assert not any("of-another-day" in each for each in running.cyrus.messages(JANE, "Round trip of"))
    finally:
        running.front.swallows = False


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("told", "words"),
    [({"password": "Another0Password1"}, "535"), ({"verified": False}, "CERTIFICATE_VERIFY_FAILED")],
)
def test_a_wrong_password_or_certificate_is_said_and_goes_on(
    running: Stack, tmp_path: Path, told: dict[str, str], words: str
) -> None:
    with travelling(running, tmp_path, **told) as traveller:  # type: ignore[arg-type]
        wait_for(lambda: (traveller.number('kolab_round_trip_failures_total{step="send"}') or 0) > 1)
        assert traveller.number(SUCCESS) == 0
        said = traveller.out.read_text()
    assert words in said
    assert "Another0Password1" not in said
