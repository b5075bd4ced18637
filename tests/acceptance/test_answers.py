"""What Cyrus sends in the name of people, as a receiver on the internet sees it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.acceptance.configs import egress
from tests.acceptance.receiver import DOMAIN
from tests.acceptance.receiving import Receiver, unique
from tests.acceptance.stack import JANE, PASSWORD, Stack, eventually

pytestmark = pytest.mark.proves("postfix", "amavis", "imap", "webapp")

AUTHOR, FRIEND = f"author@{DOMAIN}", f"friend@{DOMAIN}"

Rules = Callable[[str], None]


@pytest.fixture
def rules(stack: Stack) -> Iterator[Rules]:
    """Puts a Sieve script of Jane's in force, for the length of a test."""

    def put(script: str) -> None:
        answer = stack.client("sieve_script", stack.names.sieve, JANE, PASSWORD, script)
        assert answer.startswith("OK"), answer

    yield put
    put("keep;")


def _write(stack: Stack, sender: str, recipient: str, subject: str) -> None:
    """A letter from the internet; a new sender may be asked to come again."""
    eventually(
        lambda: stack.client("receive", stack.names.mx, sender, recipient, subject).startswith("250"),
        f"{subject} was never accepted",
    )


def test_a_vacation_note_reaches_the_author_signed_by_our_domain(
    stack: Stack, receiver: Receiver, rules: Rules
) -> None:
    away = unique("away")
    rules(f'require "vacation"; vacation :days 1 :handle "{away}" :subject "{away}" "I am away.";')
    _write(stack, AUTHOR, JANE, unique("are you there"))
    letter = receiver.get(away)
    assert (letter["sender"], letter["recipients"]) == ("", [AUTHOR])
    assert letter["verdict"]["dkim"] == {"example.org": True}
    assert letter["verdict"]["dmarc"] == "pass"


def test_spf_passes_for_a_redirected_message_and_its_bounce_finds_the_author(
    stack: Stack, receiver: Receiver, rules: Rules
) -> None:
    rules(f'redirect "{FRIEND}";')
    subject = unique("to be passed on")
    _write(stack, AUTHOR, JANE, subject)
    letter = receiver.get(subject)
    assert letter["recipients"] == [FRIEND]
    assert re.fullmatch(r"SRS0=\w+=\w+=receiver\.test=author@example\.org", letter["sender"])
    assert letter["verdict"]["client"] in egress(stack.settings).values()
    assert letter["verdict"]["spf"] == "pass"
    # Not one of ours wrote it.
    assert "example.org" not in letter["verdict"]["dkim"]
    bounce = unique("it bounced")
    _write(stack, "", letter["sender"], bounce)
    assert receiver.get(bounce)["recipients"] == [AUTHOR]


def test_a_calendar_invitation_reaches_a_stranger(stack: Stack, receiver: Receiver, tmp_path: Path) -> None:
    party = unique("party")
    event = tmp_path / "event.ics"
    event.write_text(_EVENT.format(uid=uuid.uuid4(), summary=party).replace("\n", "\r\n"))
    home = f"https://{stack.names.website}/dav/calendars/user/{JANE}/"
    url, kind = urljoin(home, f"Default/{uuid.uuid4()}.ics"), "Content-Type: text/calendar; charset=utf-8"
    answer = stack.client("dav", "PUT", url, JANE, PASSWORD, f"@{event}", kind)
    assert answer.startswith("201"), answer
    letter = receiver.get(f"Invitation: {party}")
    assert (letter["sender"], letter["recipients"]) == (JANE, [AUTHOR])
    assert "METHOD:REQUEST" in letter["text"]
    assert (letter["verdict"]["spf"], letter["verdict"]["dmarc"]) == ("pass", "pass")


_EVENT = f"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Lab//Phone//EN
BEGIN:VEVENT
UID:{{uid}}
DTSTAMP:20261101T080000Z
DTSTART:20301124T190000Z
DTEND:20301124T210000Z
SUMMARY:{{summary}}
ORGANIZER:mailto:{JANE}
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{AUTHOR}
END:VEVENT
END:VCALENDAR
"""
