"""What Cyrus sends in the name of people, with real Postfix and Cyrus: vacation notes, redirects, invitations."""

from __future__ import annotations

import re
import smtplib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from model import budget
from tests.support.cyrus import Cyrus, cyrus
from tests.support.deploy import deploy
from tests.support.mariadb import mariadb
from tests.support.ports import free_port
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import wait_for
from tests.support.stacks import changed

pytestmark = pytest.mark.thorough

JANE, JOE, LOOP = "jane@example.org", "joe@example.org", "loop@example.org"
STRANGER, FRIEND = "author@sender.test", "friend@receiver.test"


@dataclass
class Stack:
    """Postfix before, Cyrus behind."""

    postfix: Mailserver
    cyrus: Cyrus

    def receive(self, sender: str, recipient: str, subject: str, author: str = "") -> None:
        """A message from the world."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = author or sender or STRANGER, recipient, subject
        message["Message-ID"] = f"<{subject.replace(' ', '.')}@sender.test>"
        message.set_content("text\n")
        with smtplib.SMTP("127.0.0.1", self.postfix.sandbox.port(10025)) as client:
            client.send_message(message, sender, [recipient])


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    deployed = deploy(changed("single-node", {"hostedDomains": ["example.net"]}))
    answers = free_port()
    with mariadb() as database, cyrus(deployed, answers) as behind:
        database.ask("INSERT INTO kolabdev.users VALUES (3, 'loop@example.org', 2)")
        lmtp = behind.sandbox.port(11024)
        with mailserver(deployed, None, database=database, cyrus=lmtp, answers=answers) as ours:
            yield Stack(ours, behind)


def test_a_vacation_note_reaches_the_stranger_signed_and_from_nobody(stack: Stack) -> None:
    stack.cyrus.sieve(JANE, 'require "vacation"; vacation :days 1 :subject "away" "I am away.";')
    stack.receive(STRANGER, JANE, "are you there")
    sender, recipients, text = stack.postfix.world.of("away")
    # Nobody answers an answer (RFC 3834 section 3.3).
    assert (sender, recipients) == ("", (STRANGER,))
    assert re.search(r"(?m)^Auto-Submitted: auto-replied", text)
    assert "away" in stack.postfix.signer.subjects()


def test_a_redirect_leaves_with_a_sender_of_ours_and_bounces_find_the_author(stack: Stack) -> None:
    stack.cyrus.sieve(JANE, f'redirect "{FRIEND}";')
    stack.receive(STRANGER, JANE, "to be passed on")
    sender, recipients, text = stack.postfix.world.of("to be passed on")
    assert recipients == (FRIEND,)
    assert re.fullmatch(r"SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=sender\.test=author@example\.org", sender)
    # People see who wrote it.
    assert re.search(rf"(?m)^From: {STRANGER}", text)
    stack.receive("", sender, "it bounced", "mailer-daemon@receiver.test")
    bounced, to, _ = stack.postfix.world.of("it bounced")
    assert (bounced, to) == ("", (STRANGER,))


def test_a_redirected_message_gets_no_signature_of_ours_whoever_it_claims_to_be_from(stack: Stack) -> None:
    stack.cyrus.sieve(JANE, f'redirect "{FRIEND}";')
    for sender, subject in ((STRANGER, "forged by a stranger"), ("", "forged by nobody")):
        stack.receive(sender, JANE, subject, "ceo@example.org")
        stack.postfix.world.of(subject)
        assert subject not in stack.postfix.signer.subjects()


def test_our_own_senders_are_kept(stack: Stack) -> None:
    stack.cyrus.sieve(JANE, f'redirect "{FRIEND}";')
    stack.receive("someone@example.net", JANE, "from a hosted domain")
    assert stack.postfix.world.of("from a hosted domain")[0] == "someone@example.net"


def test_bounces_of_addresses_that_we_never_made_are_refused(stack: Stack) -> None:
    with smtplib.SMTP("127.0.0.1", stack.postfix.sandbox.port(10025)) as client:
        client.ehlo("mail.example.edu")
        client.mail("")
        assert client.rcpt("SRS0=AAAAAA=AA=victim.test=somebody@example.org")[0] == 550
        assert client.rcpt("SRS1=AAAAAA=victim.test==x=somebody@example.org")[0] == 550


def test_two_mailboxes_that_redirect_to_each_other_end_it_themselves(stack: Stack) -> None:
    stack.cyrus.sieve(JOE, f'redirect "{LOOP}";')
    stack.cyrus.sieve(LOOP, f'redirect "{JOE}";')
    seen = "message-id=<round.and.round@sender.test>"
    stack.receive(STRANGER, JOE, "round and round")
    wait_for(lambda: stack.postfix.log.count(seen) >= 2 * 2)
    wait_for(stack.postfix.queue_is_empty)
    # In by 25, and once more for each of the two; each time before and after the filter.
    assert stack.postfix.log.count(seen) <= 2 * 3


def test_an_invitation_reaches_a_stranger(stack: Stack) -> None:
    stack.cyrus.login(JANE)
    event = INVITATION.replace("\n", "\r\n")
    status = stack.cyrus.put(
        JANE, f"/dav/calendars/user/{JANE}/Default/party.ics", "text/calendar; charset=utf-8", event
    )
    assert status == 201, stack.cyrus.log
    sender, recipients, text = stack.postfix.world.of("Invitation: party")
    assert (sender, recipients) == (JANE, (STRANGER,))
    assert "\r\nMETHOD:REQUEST\r\n" in text
    assert "Invitation: party" in stack.postfix.signer.subjects()


def test_a_rewriting_process_is_small_and_each_proxymap_has_at_most_one(stack: Stack) -> None:
    master = stack.postfix.sandbox.text("/var/spool/postfix/pid/master.pid").strip()
    spawns = processes(master, "spawn")
    found = [each for spawn in spawns for each in processes(spawn, "python3")]
    assert 0 < len(found) <= budget.PROXYMAPS
    assert max(map(memory, found)) < budget.SRS_MIB


def processes(parent: str, name: str) -> list[str]:
    """Numbers of the children of a process that are called so."""
    done = subprocess.run(["pgrep", "-P", parent, name], capture_output=True, text=True, check=False)
    return done.stdout.split()


def memory(process: str) -> float:
    """Its resident memory, in MiB, shared libraries included."""
    [kib] = re.findall(r"Rss: +(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text())
    return int(kib) / 1024


INVITATION = f"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//test//EN
BEGIN:VEVENT
UID:party
DTSTAMP:20260101T000000Z
DTSTART:20300101T190000Z
DTEND:20300101T200000Z
SUMMARY:party
ORGANIZER:mailto:{JANE}
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{STRANGER}
END:VEVENT
END:VCALENDAR
"""
