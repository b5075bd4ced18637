"""What a stack must still do, or still refuse, once an image that is adjusted serves: by the names of the table of mutants."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping

from tests.acceptance import phone, relaying
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack

_OLD = ("25", "465", "993", "443")


def mail(stack: Stack) -> None:
    """A stranger's letter is read over IMAPS, and what is submitted with a password arrives, signed."""
    subject = f"effects-{uuid.uuid4()}"
    stack.accepted(JANE, subject)
    stack.inbox(JANE, subject)
    for port in ("465", "587"):
        said = stack.client("submit", stack.names.smtp, port, JANE, PASSWORD, JANE, JOE, f"{subject}-{port}")
        assert said.startswith("250"), said
        assert "DKIM-Signature:" in stack.inbox(JOE, f"{subject}-{port}")


def null_sender(stack: Stack) -> None:
    """Bounces are accepted."""
    subject = f"effects-{uuid.uuid4()}"
    said = stack.client("receive", stack.names.mx, "", JANE, subject)
    assert said.startswith("250"), said
    stack.inbox(JANE, subject)


def first_delivery(stack: Stack) -> None:
    """Mail for somebody who never logged in is delivered."""
    somebody, subject = f"new-{uuid.uuid4().hex[:8]}@example.org", f"effects-{uuid.uuid4()}"
    stack.add_user(somebody)
    stack.accepted(somebody, subject)
    stack.inbox(somebody, subject)


def forgery(stack: Stack) -> None:
    """No stranger writes in our name."""
    said = json.loads(stack.client("envelopes", stack.names.mx, "25", f"{JANE} {JOE}"))
    assert all(each.startswith("5") for each in said.values()), said


def passwords(stack: Stack) -> None:
    """Right ones are taken, wrong ones and none are not."""
    assert "OK" in stack.client("sieve_login", stack.names.sieve, JANE, PASSWORD)
    assert "NO" in stack.client("sieve_login", stack.names.sieve, JANE, "Wrong4Horse")
    for port in ("465", "587"):
        said = stack.client("submit_anonymously", stack.names.smtp, port, JANE, JOE)
        assert said.startswith("5"), said


def clear(stack: Stack) -> None:
    """Nobody is asked for a password before TLS."""
    assert stack.client("plain_login", stack.names.imap, JANE, PASSWORD).startswith("refused")
    assert "auth" not in stack.client("ehlo", stack.names.smtp, "587").partition("after:")[0].split()


def tls(stack: Stack) -> None:
    """Nobody speaks TLS older than 1.2."""
    names = stack.names
    for port, host in zip(_OLD, (names.mx, names.smtp, names.imap, names.website), strict=True):
        said = stack.client("old_tls", host, port)
        assert said.startswith("refused"), f"{port}: {said}"


def calendars(stack: Stack) -> None:
    """A phone finds its calendar, writes into it and reads it back."""
    url = f"https://{stack.names.website}/.well-known/caldav"
    assert json.loads(stack.client("collections", "caldav", url, JANE, PASSWORD))["collections"]
    place, event = phone.put(stack, "caldav")
    status, _, read = phone.answer(stack.client("dav", "GET", place, JANE, PASSWORD))
    assert status == 200
    assert phone.lines(read) == phone.lines(event)


EFFECTS: Mapping[str, Callable[[Stack], None]] = {
    "mail": mail,
    "relaying": relaying.assert_no_open_relay,
    "null sender": null_sender,
    "first delivery": first_delivery,
    "forgery": forgery,
    "passwords": passwords,
    "clear": clear,
    "TLS": tls,
    "calendars": calendars,
}
