"""Mail leaves through a smarthost that asks for TLS and a password, and to nobody who only says that it is that one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.configs import egress
from tests.acceptance.report import Report
from tests.acceptance.servers import serving
from tests.acceptance.smarthost import HOST, PORT
from tests.acceptance.stack import JANE, PASSWORD, Stack, eventually
from tests.acceptance.streams import writing
from tests.support.postfix import authority, identity, pem

_DOMAIN = HOST.partition(".")[2]
_READER = "reader@receiver.test"
_USER, _SECRET, _NEXT = "kolab", "Sm4rt:host#pass%word", "N3xt=pass:word$(id)"
_PROVES = pytest.mark.proves("postfix", "amavis")
pytestmark = [pytest.mark.long, pytest.mark.mode("single-node")]


@dataclass(frozen=True)
class Provider:
    """Whoever runs smarthosts with certificates of an authority of its own."""

    folder: Path
    stack: Stack

    @contextmanager
    def serves(self, *, name: str = HOST, password: str = _SECRET) -> Iterator[None]:
        """Its smarthost, with a certificate for `name`, which lets in whoever knows `password`."""
        (self.folder / "identity.pem").write_text(identity(_AUTHORITY, name))
        (self.folder / "login").write_text(f"{_USER}:{password}")
        (self.folder / "seen").write_text("")
        with serving(self.stack, "smarthost", self.folder):
            yield

    def seen(self) -> list[dict[str, Any]]:
        """Passwords and messages, in order. The last line may not be whole yet."""
        lines = (self.folder / "seen").read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def subjects(self) -> set[str]:
        """Subjects of the messages that it took."""
        return {each["subject"] for each in self.seen() if "subject" in each}

    def taken(self, subject: str) -> dict[str, Any]:
        """The message with this subject, once it is there."""
        found: dict[str, Any] = eventually(
            lambda: next((each for each in self.seen() if each.get("subject") == subject), None),
            f"{subject} never reached the smarthost",
        )
        return found


_AUTHORITY = authority()


@pytest.fixture(scope="module")
def provider(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The stack sends through the provider, as reviewed changes make it so, and then by itself again."""
    before = stack.program.config()
    own = list(egress(stack.settings).values())
    relay = {"mode": "relay", "host": HOST, "port": PORT, "username": _USER, "spfInclude": _DOMAIN}
    stack.program.must("config", "set", "--secret", "--stack", stack.program.stack, "relayPassword", _SECRET)
    reason = "the lab's senders wait for no cache"
    known = [{"rule": "egress-relay-changed", "reason": reason}]
    stack.program.change(
        {
            "network.egress": relay | {"authorities": pem(_AUTHORITY)},
            # They stay in SPF, so that the way back is no surprise to anybody.
            "network.announcedEgress": own,
            "acknowledge": [*before["kolab:acknowledge"], *known],
        }
    )
    stack.apply()
    yield Provider(tmp_path_factory.mktemp("smarthost"), stack)
    stack.program.write(before)
    stack.apply()


def _write(stack: Stack) -> str:
    """Jane writes to the world. The message's subject."""
    subject = f"through the provider at {time.time_ns()}"
    answer = stack.client("submit", stack.names.smtp, "465", JANE, PASSWORD, JANE, _READER, subject)
    assert answer.startswith("250"), answer
    return subject


def _deferred(stack: Stack, why: str) -> None:
    """Until a message to the reader waits in the queue for this reason."""
    eventually(lambda: why in stack.waiting(), f"nothing waits because of {why!r}")
    assert _READER in stack.waiting()


@_PROVES
def test_mail_to_the_world_leaves_through_the_smarthost_with_tls_and_password(
    stack: Stack, provider: Provider
) -> None:
    with provider.serves():
        letter = provider.taken(_write(stack))
        shown = [each["right"] for each in provider.seen() if "right" in each]
    assert (letter["encrypted"], letter["authenticated"]) == (True, True)
    assert set(shown) == {True}


@_PROVES
@pytest.mark.usefixtures("provider", "stranger")
def test_mail_from_the_world_arrives_while_a_smarthost_sends_for_us(stack: Stack) -> None:
    stack.accepted(JANE, "beside-the-smarthost")
    stack.inbox(JANE, "beside-the-smarthost")


@pytest.mark.proves("postfix")
def test_mail_waits_when_the_smarthost_has_a_certificate_of_another_name(
    stack: Stack, provider: Provider
) -> None:
    with provider.serves(name=f"other.{_DOMAIN}"):
        subject = _write(stack)
        _deferred(stack, "Server certificate not verified")
        assert provider.seen() == []
    with provider.serves():
        stack.flush()
        assert provider.taken(subject)["encrypted"]


@pytest.mark.proves("postfix")
def test_mail_waits_when_the_smarthost_refuses_the_password(stack: Stack, provider: Provider) -> None:
    with provider.serves(password="An0ther:password"):
        subject = _write(stack)
        _deferred(stack, "SASL authentication failed")
        assert provider.subjects() == set()
    with provider.serves():
        stack.flush()
        assert provider.taken(subject)["authenticated"]


@pytest.mark.proves("postfix")
def test_not_even_postfix_reaches_other_mail_servers(stack: Stack, provider: Provider) -> None:
    """Mail in the clear has no way out: nobody says no, as a host without a mail server would."""
    with provider.serves():
        assert (_knock(stack, PORT), _knock(stack, 25)) == ("0", _NO_ANSWER)


_NO_ANSWER = "124"
"""How `timeout` ends."""


def _knock(stack: Stack, port: int) -> str:
    """How an attempt of Postfix' pod to reach this port of the world ends."""
    knock = f"exec 3<>/dev/tcp/{stack.lab.internet.address}/{port}"
    attempt = f"timeout 3 bash -c '{knock}' 2> /dev/null; echo $?"
    return stack.in_pod(stack.pod("postfix"), ["bash", "-c", attempt])


@pytest.mark.proves("postfix")
@pytest.mark.rotates("relayPassword")
def test_no_mail_is_lost_while_the_smarthosts_password_is_rotated(
    stack: Stack, provider: Provider, report: Report, tmp_path: Path
) -> None:
    """In the worst order, where the old password ends before the stack knows the new one. The last test here: the
    stack shows another password from now on."""
    (tmp_path / "relayPassword").write_text(_NEXT)
    with provider.serves(password=_NEXT):
        jane = ("submit_stream", stack.names.smtp, JANE, PASSWORD, _READER, "rotating")
        with writing(stack, tmp_path / "enough", *jane) as acknowledged:
            _deferred(stack, "SASL authentication failed")
            assert provider.subjects() == set()
            rest = ("--from", str(tmp_path), "--stack", stack.program.stack)
            stack.program.ops("secrets", "rotate", "relayPassword", *rest)
            with report.timed("an update that rotates the smarthost's password"):
                stack.apply()
        assert acknowledged

        def arrived() -> bool:
            stack.flush()
            return acknowledged <= provider.subjects()

        eventually(arrived, "acknowledged messages never reached the smarthost", every=3)
    report.note("messages acknowledged while the smarthost's password changed (number)", len(acknowledged))
