"""What becomes of spam, banned files and bad headers: a real Amavis with our end of its configuration."""

from __future__ import annotations

import shutil
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from components import entry
from tests.support.deploy import Deployment, deploy
from tests.support.postfix import Mailbox, folder
from tests.support.sandbox import Sandbox, wait_for
from tests.support.stacks import changed, deployment

pytestmark = pytest.mark.thorough

RECIPE = Path(__file__).parent.parent / "lab/images/recipes/amavis/rootfs"
CONF = "/etc/amavisd/amavisd.conf"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
HERE = "@lookup_sql_dsn = (); @local_domains_maps = (['.example.org']); $sa_local_tests_only = 1; $enable_db = 0; $enable_zmq = 0; @bypass_virus_checks_maps = (1); 1;"
"""No database, no network."""


@pytest.fixture(scope="module")
def amavis() -> Iterator[tuple[int, Mailbox]]:
    """The port of Amavis, and what it hands on."""
    with running(deployment("single-node")) as found:
        yield found


@contextmanager
def running(stack: Deployment) -> Iterator[tuple[int, Mailbox]]:
    """Amavis of `stack`: its port, and what it hands on."""
    with filtering(stack) as (_, port, taken):
        yield port, taken


@contextmanager
def filtering(stack: Deployment, here: str = HERE) -> Iterator[tuple[Sandbox, int, Mailbox]]:
    """Amavis of `stack` with lines of this machine behind ours: its container, its port, and what it hands on."""
    if not Path("/usr/sbin/amavisd").exists() or not Path("/usr/share/spamassassin").exists():
        pytest.skip("Amavis is not installed: tests/install-packages test")
    with folder() as root:
        sandbox = Sandbox(root)
        for port in (13024, 13025, 13026):
            sandbox.port(port)
        text = (RECIPE / CONF.lstrip("/")).read_text().replace("APP_DOMAIN", "example.org")
        lines = [line for line in text.splitlines() if not line.startswith("dkim_key(")]
        sandbox.put(CONF, "\n".join(lines).replace("POSTFIX_HOST", "127.0.0.1") + "\n")
        sandbox.put("/init.sh", f"CONFIG={CONF}\nexec amavisd -c $CONFIG foreground\n")
        sandbox.mount(entry.PATH, stack.folder("postfix", "amavis", entry.PATH))
        for inside in ("/var/spool/amavisd/tmp", "/var/spool/amavisd/db", "/var/run/amavisd"):
            sandbox.path(inside).mkdir(parents=True)
        for inside in (
            "/var/spool/amavisd",
            "/var/spool/amavisd/tmp",
            "/var/spool/amavisd/db",
            "/var/run/amavisd",
        ):
            shutil.chown(sandbox.path(inside), "amavis", "amavis")
        sandbox.command("sa-update", "exit 1")
        sandbox.put("/tmp/here.conf", here + "\n")
        sandbox.command("perl", "exit 1")
        sandbox.command(
            "amavisd",
            'options=("${@:1:$#-1}"); [ "${@: -1}" != foreground ] || options+=(-c /tmp/here.conf)\n'
            'PATH=/usr/sbin:/usr/bin:/bin exec amavisd "${options[@]}" "${@: -1}"',
        )
        taken = Mailbox()
        world = Controller(taken, "127.0.0.1", sandbox.port(13025))
        world.start()
        try:
            script = stack.file("postfix", "amavis", f"{entry.PATH}/entry.sh")
            with sandbox.start(script, env=stack.workload("postfix").env("amavis")) as process:
                port = sandbox.port(13024)
                wait_for(lambda: _greets(port) or process.poll() is not None)
                assert process.poll() is None, sandbox.out + sandbox.err
                yield sandbox, port, taken
        finally:
            world.stop()


def _greets(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5):
            return True
    except OSError:
        return False


def send(port: int, message: EmailMessage) -> None:
    message["From"], message["To"] = "forged@receiver.test", "jane@example.org"
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)


def arrived(taken: Mailbox, subject: str) -> str:
    """The message with this subject, once it came. Nothing may have gone to the forged sender."""
    wait_for(lambda: any(subject in text for _, text in taken.took))
    assert {to for recipients, _ in taken.took for to in recipients} == {"jane@example.org"}
    return next(text for _, text in taken.took if subject in text)


def test_spam_arrives_and_says_what_it_is(amavis: tuple[int, Mailbox]) -> None:
    port, taken = amavis
    message = EmailMessage()
    message["Subject"] = "cheap"
    message.set_content(f"{GTUBE}\n")
    send(port, message)
    text = arrived(taken, "cheap")
    assert "X-Spam-Flag: YES" in text
    assert "Subject: ***SPAM*** cheap" in text


def test_an_ordinary_message_shows_its_score_and_is_not_marked(amavis: tuple[int, Mailbox]) -> None:
    port, taken = amavis
    send(port, _without_a_date("nothing special"))
    text = arrived(taken, "nothing special")
    assert "X-Spam-Score:" in text
    assert "X-Spam-Flag: NO" in text
    assert "SPAM***" not in text


def test_the_stack_file_says_from_which_score_and_whether_the_subject_tells() -> None:
    settings = {"mail": {"spam": {"markAt": 1, "markSubject": False}}}
    with running(deploy(changed("single-node", settings))) as (port, taken):
        send(port, _without_a_date("nothing special"))
        text = arrived(taken, "nothing special")
        assert "X-Spam-Flag: YES" in text
        assert "Subject: nothing special" in text


def _without_a_date(subject: str) -> EmailMessage:
    """What SpamAssassin finds a little odd."""
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content("text\n")
    return message


def test_a_banned_file_arrives_and_bounces_to_nobody(amavis: tuple[int, Mailbox]) -> None:
    port, taken = amavis
    message = EmailMessage()
    message["Subject"] = "a file"
    message.set_content("see the file\n")
    message.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="letter.exe")
    send(port, message)
    arrived(taken, "a file")
