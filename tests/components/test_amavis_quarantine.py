"""What the filter keeps from people: a real Amavis keeps it, our script lists and releases it, and none of it stays for ever."""

from __future__ import annotations

import base64
import os
import smtplib
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from components import entry
from tests.components.test_amavis_verdicts import GTUBE, HERE, filtering, send
from tests.support.deploy import deploy
from tests.support.postfix import Mailbox, answering, folder
from tests.support.sandbox import Sandbox, wait_for
from tests.support.stacks import changed, deployment

pytestmark = pytest.mark.thorough

KEPT = "/var/lib/quarantine"
SCRIPT = f"{entry.PATH}/quarantine.pl"
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SCANS = (
    "@bypass_virus_checks_maps = (0); @av_scanners = (['a scanner', '/bin/grep', '-r EICAR-STANDARD {}',"
    " [1], [0], qr/(EICAR-STANDARD-ANTIVIRUS)/]); @av_scanners_backup = (); 1;"
)
"""A scanner that knows one virus, as clamd would find it."""


def told(sandbox: Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    """What the script in the container does."""
    return subprocess.run(
        ["perl", str(sandbox.path(SCRIPT)), *words], capture_output=True, text=True, check=False, timeout=60
    )


def names(sandbox: Sandbox) -> list[str]:
    """Of the files that are kept."""
    return sorted(each.name for each in sandbox.path(KEPT).iterdir())


def mail(subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content(text)
    return message


@pytest.fixture(scope="module")
def amavis() -> Iterator[tuple[Sandbox, int, Mailbox]]:
    """Amavis with a scanner, which marks nearly everything and keeps spam from score 500."""
    settings = {"mail": {"spam": {"markAt": 1, "quarantineAt": 500}}}
    with filtering(deploy(changed("single-node", settings)), HERE.removesuffix("1;") + SCANS) as found:
        yield found


def test_a_virus_is_kept_and_released_for_those_alone_that_it_was_meant_for(
    amavis: tuple[Sandbox, int, Mailbox],
) -> None:
    sandbox, port, taken = amavis
    message = mail("an infected letter", f"{EICAR}\n.and a dot\n")
    # Whoever wrote it would like it to go elsewhere as well.
    message["X-Envelope-To"] = "<mallory@evil.test>"
    message["From"], message["To"] = "forged@receiver.test", "team@example.org"
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message, "forged@receiver.test", ["jane@example.org", "joe@example.org"])
    (name,) = names(sandbox)
    assert name.startswith("virus-")
    # As `./kolab trace` reads it.
    assert f", quarantine: {name}," in sandbox.out + sandbox.err
    assert "an infected letter" not in taken.subjects()
    done = told(sandbox, "release", name)
    assert (done.returncode, done.stdout) == (0, "250 2.0.0 Ok\n"), done.stderr
    sender, recipients, text = taken.of("an infected letter")
    assert (sender, recipients) == ("forged@receiver.test", ("jane@example.org", "joe@example.org"))
    assert "\r\n.and a dot\r\n" in text
    for ours in ("X-Quarantine-ID", "X-Envelope-From", "X-Envelope-To-Blocked", "Delivered-To", "<jane@"):
        assert ours not in text
    assert "X-Amavis-Alert: INFECTED, message contains virus: EICAR-STANDARD-ANTIVIRUS" in text
    assert names(sandbox) == []


def test_spam_from_the_second_score_is_kept(amavis: tuple[Sandbox, int, Mailbox]) -> None:
    sandbox, port, taken = amavis
    send(port, mail("really cheap", f"{GTUBE}\n"))
    (name,) = names(sandbox)
    assert name.startswith("spam-")
    (line,) = told(sandbox, "list").stdout.splitlines()
    listed, modified, size, header = line.split(" ")
    assert (listed, int(size)) == (name, sandbox.path(f"{KEPT}/{name}").stat().st_size)
    assert abs(int(modified) - time.time()) < 300
    text = base64.b64decode(header).decode()
    assert "X-Envelope-To: <jane@example.org>\n" in text
    assert "Subject: really cheap\n" in text
    assert GTUBE not in text
    assert told(sandbox, "delete", name).returncode == 0
    assert names(sandbox) == []
    assert "really cheap" not in taken.subjects()


def test_spam_below_that_score_and_banned_files_arrive_and_are_not_kept_as_well(
    amavis: tuple[Sandbox, int, Mailbox],
) -> None:
    sandbox, port, taken = amavis
    message = mail("a program", "see the file\n")
    message.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="letter.exe")
    send(port, message)
    wait_for(lambda: any("a program" in text for _, text in taken.took))
    assert "X-Spam-Flag: YES" in next(text for _, text in taken.took if "a program" in text)
    assert names(sandbox) == []


def test_what_cannot_be_kept_is_deferred(amavis: tuple[Sandbox, int, Mailbox]) -> None:
    sandbox, port, taken = amavis
    folder = sandbox.path(KEPT)
    folder.chmod(0o500)
    try:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(port, mail("no room for a virus", f"{EICAR}\n"))
        assert refused.value.smtp_code == 451
    finally:
        folder.chmod(0o755)
    assert names(sandbox) == []
    assert "no room for a virus" not in taken.subjects()


@pytest.fixture
def alone() -> Iterator[Sandbox]:
    """The script in a container in which nothing runs."""
    with folder() as root:
        sandbox = Sandbox(root)
        sandbox.port(13025)
        sandbox.mount(entry.PATH, deployment("single-node").folder("postfix", "amavis", entry.PATH))
        sandbox.path(KEPT).mkdir(parents=True)
        yield sandbox


HEAD = "Return-Path: <>\nX-Envelope-From: {}\nX-Envelope-To: {}\nX-Quarantine-ID: <a>\n"
BODY = "Received: from x\nX-Envelope-To: <mallory@evil.test>\nSubject: hello\n\nBody\n"


def keep(sandbox: Sandbox, name: str, text: str, *, days: float = 0) -> Path:
    """A file as Amavis writes it, some days ago."""
    path = sandbox.path(f"{KEPT}/{name}")
    path.write_text(text)
    at = time.time() - days * 86400
    os.utime(path, (at, at))
    return path


@dataclass
class Refusing(Mailbox):
    """Takes nothing for `nobody@`, and no text with `later`."""

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: Sequence[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 there is nobody"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if b"later" in (envelope.content or b""):
            return "451 4.3.0 come again"
        return await super().handle_DATA(server, session, envelope)


@pytest.mark.parametrize(
    ("to", "body", "said"),
    [
        ("<jane@example.org>, <nobody@example.org>", BODY, "550 5.1.1 there is nobody"),
        ("<jane@example.org>", BODY + "later\n", "451 4.3.0 come again"),
    ],
)
def test_what_postfix_does_not_take_is_still_kept(alone: Sandbox, to: str, body: str, said: str) -> None:
    path, postfix = keep(alone, "virus-abcdefABC-_1", HEAD.format("<>", to) + body), Refusing()
    with answering(Controller(postfix, "127.0.0.1", alone.port(13025))):
        done = told(alone, "release", path.name)
    assert (done.returncode, postfix.took) == (1, [])
    assert done.stderr == f"quarantine: Postfix does not take it, so it is still kept: {said}\n"
    assert path.exists()


def test_a_bounce_is_released_as_one(alone: Sandbox) -> None:
    text = HEAD.format("<>", '<"odd, <one>"@example.org>,\n <jane@example.org>') + BODY
    path, postfix = keep(alone, "spam-abcdefABC-_1", text), Mailbox()
    with answering(Controller(postfix, "127.0.0.1", alone.port(13025))):
        done = told(alone, "release", path.name)
    assert done.returncode == 0, done.stderr
    assert postfix.senders == [""]
    assert postfix.took[0][0] == ('"odd, <one>"@example.org', "jane@example.org")
    assert not path.exists()


def test_what_nobody_answers_for_is_still_kept(alone: Sandbox) -> None:
    path = keep(alone, "virus-abcdefABC-_1", HEAD.format("<a@b.test>", "<jane@example.org>") + BODY)
    done = told(alone, "release", path.name)
    assert (done.returncode, path.exists()) == (1, True)
    assert "Postfix does not answer, so it is still kept" in done.stderr


@pytest.mark.parametrize(
    "head",
    [
        "",
        HEAD.format("<a@b.test>", ""),
        HEAD.format("a@b.test", "<jane@example.org>"),
        HEAD.format("<a@b.test>", "<jane@example.org> SIZE=0"),
    ],
)
def test_a_stranger_does_not_say_for_whom_it_is(alone: Sandbox, head: str) -> None:
    path = keep(alone, "virus-abcdefABC-_1", head + BODY)
    done = told(alone, "release", path.name)
    assert (done.returncode, path.exists()) == (1, True)
    assert done.stderr == "quarantine: its file does not say from whom it came and for whom it is\n"


@pytest.mark.parametrize("action", ["release", "delete"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "no name of a kept message"),
        ("../secret", "no name of a kept message"),
        ("virus-../../secret", "no name of a kept message"),
        ("virus-abcdefABC-_1\n", "no name of a kept message"),
        ("banned-abcdefABC-_1", "no name of a kept message"),
        ("virus-abcdefABC-_2", "is not kept here any more"),
    ],
)
def test_a_wrong_name_gets_a_sentence(alone: Sandbox, action: str, name: str, said: str) -> None:
    path = keep(alone, "virus-abcdefABC-_1", HEAD + BODY)
    done = told(alone, action, name)
    assert (done.returncode, path.exists()) == (1, True)
    (line,) = done.stderr.splitlines()
    assert said in line


def test_what_is_old_is_deleted_and_the_oldest_of_what_is_too_much(alone: Sandbox) -> None:
    for number, days in enumerate((15, 13, 2, 1)):
        keep(alone, f"virus-abcdef{number}", "x" * 1000, days=days)
    done = told(alone, "tidy", "14", "3000")
    assert (done.returncode, done.stderr) == (0, "")
    assert names(alone) == ["virus-abcdef1", "virus-abcdef2", "virus-abcdef3"]
    done = told(alone, "tidy", "14", "2999")
    assert done.stderr == "quarantine: there was no room for the oldest 1 kept messages, which are deleted\n"
    assert names(alone) == ["virus-abcdef2", "virus-abcdef3"]


def test_what_was_kept_a_moment_ago_stays_however_large_it_is(alone: Sandbox) -> None:
    for number, days in enumerate((2, 1)):
        keep(alone, f"virus-abcdef{number}", "x" * 1000, days=days)
    told(alone, "tidy", "14", "10")
    assert names(alone) == ["virus-abcdef1"]
