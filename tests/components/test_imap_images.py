"""Cyrus by effect: Cyrus itself is asked what it understood, of both generations of the image and of mutants."""

from __future__ import annotations

import re
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from functools import cached_property

import pytest

from components import entry
from tests.support.cyrus import Cyrus, cyrus, environment, needs_cyrus, prepare
from tests.support.deploy import deploy
from tests.support.images import GENERATIONS, Mutant, passwords
from tests.support.mutants import MUTANTS
from tests.support.mutants.imap import SERVICES, SETTINGS
from tests.support.ports import free_port
from tests.support.postfix import folder
from tests.support.sandbox import Sandbox
from tests.support.stacks import changed, deployment

pytestmark = pytest.mark.thorough

BUNDLE = "/etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem"
RIGHT = {
    "sasl_pwcheck_method": "saslauthd",
    "sasl_saslauthd_path": "/run/saslauthd/mux",
    "sasl_mech_list": "PLAIN LOGIN",
    "allowanonymouslogin": "no",
    "allowplaintext": "yes",
    "admins": "cyrus-admin",
    "proxyservers": "cyrus-admin",
    "tls_server_key": BUNDLE,
    "tls_server_cert": BUNDLE,
    "publicsieve_allowplaintext": "no",
    "publicsieve_tls_versions": "tls1_2 tls1_3",
    "configdirectory": "/var/lib/imap",
    "hashimapspool": "yes",
    "fulldirhash": "no",
    "sieveusehomedir": "no",
    "virtdomains": "userid",
    "expunge_mode": "delayed",
    "delete_mode": "delayed",
    "autocreate_post": "yes",
    "autocreate_inbox_folders": "Drafts | Trash | Sent",
    "smtp_backend": "host",
    "smtp_host": "127.0.0.1:10026/noauth",
}


class Image:
    """An image of which a rehearsal has been run."""

    def __init__(self, sandbox: Sandbox, generation: str, mutant: Mutant | None = None) -> None:
        self.sandbox = sandbox
        self.services_file = mutant.renamed.get(SERVICES, SERVICES) if mutant else SERVICES
        stack = deployment("single-node")
        prepare(sandbox, stack, generation, mutant)
        passwords(sandbox)
        self.done = sandbox.run(
            stack.file("imap", "imap", f"{entry.PATH}/entry.sh"),
            env=environment(stack, generation) | {"KOLAB_TASK": "rehearse"},
        )

    @cached_property
    def understood(self) -> dict[str, str]:
        """What Cyrus makes of its settings."""
        command = ["/usr/lib/cyrus/bin/cyr_info", "-C", str(self.sandbox.path(SETTINGS)), "conf-all"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        lines = (line.split(":", 1) for line in told.replace(str(self.sandbox.root), "").splitlines())
        return {key: value.strip() for key, value in lines}

    def services(self) -> set[tuple[str, str]]:
        """Where which command listens."""
        inside, _, _ = self.sandbox.text(self.services_file).partition("SERVICES")[2].partition("}")
        lines = [
            line for line in inside.splitlines() if "listen=" in line and not line.lstrip().startswith("#")
        ]
        found = (
            (line.split("listen=")[1].split()[0], line.split('cmd="')[1].split('"')[0]) for line in lines
        )
        return {(listen.strip('"'), command) for listen, command in found}

    def problems(self) -> list[str]:
        """What is not as it has to be."""
        wrong = [
            f"{key}: {self.understood.get(key)}"
            for key, value in RIGHT.items()
            if self.understood.get(key) != value
        ]
        needed = {
            ("0.0.0.0:11080", "httpd"),
            ("0.0.0.0:11143", "imapd"),
            ("0.0.0.0:11024", "lmtpd -a"),
            ("0.0.0.0:4190", "timsieved"),
            ("0.0.0.0:4191", "timsieved"),
        }
        wrong += [str(each) for each in needed - self.services()]
        if not self.understood["autocreate_quota"].isdigit():
            wrong.append("autocreate_quota")
        return wrong


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    needs_cyrus()
    with folder() as root:
        yield Sandbox(root)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_image_of_either_generation_is_right_in_effect(sandbox: Sandbox, generation: str) -> None:
    image = Image(sandbox, generation)
    assert (image.done.returncode, image.done.stderr) == (0, "")
    assert image.problems() == []


@pytest.mark.parametrize(("generation", "quota"), [("a", "5242880"), ("b", "5242880")])
def test_a_mailbox_that_makes_itself_has_a_quota_in_either_generation(
    sandbox: Sandbox, generation: str, quota: str
) -> None:
    assert Image(sandbox, generation).understood["autocreate_quota"] == quota


@pytest.mark.parametrize("mutant", MUTANTS["imap"], ids=str)
def test_a_changed_imap_image_is_right_in_effect_or_refused(sandbox: Sandbox, mutant: Mutant) -> None:
    image = Image(sandbox, mutant.generation, mutant)
    if mutant.refused:
        assert image.done.returncode == 70, image.done.stderr
        assert re.search(mutant.refused, image.done.stderr), image.done.stderr
        assert len(image.done.stderr.splitlines()) == 1, image.done.stderr
    else:
        assert image.done.returncode == 0, image.done.stderr
        assert image.problems() == []


@pytest.fixture(scope="module", params=GENERATIONS)
def running(request: pytest.FixtureRequest) -> Iterator[Cyrus]:
    """Either generation, as it runs."""
    with cyrus(deploy(changed("single-node", {})), free_port(), request.param) as made:
        yield made


def test_the_first_message_to_somebody_who_never_logged_in_is_delivered(running: Cyrus) -> None:
    with smtplib.LMTP("127.0.0.1", running.sandbox.port(11024)) as client:
        client.sendmail("author@sender.test", ["new@example.org"], "Subject: welcome\r\n\r\ntext\r\n")
    assert running.messages("new@example.org", "welcome"), running.log


def test_the_public_listener_of_sieve_offers_a_password_behind_tls_alone(running: Cyrus) -> None:
    said = {}
    for port in (4190, 4191):
        with socket.create_connection(("127.0.0.1", running.sandbox.port(port)), 30) as connection:
            lines = _greeting(connection)
        said[port] = next(line for line in lines if line.startswith('"SASL"')), '"STARTTLS"' in lines
    assert said == {4190: ('"SASL" "PLAIN LOGIN"', True), 4191: ('"SASL" ""', True)}


def _greeting(connection: socket.socket) -> list[str]:
    stream = connection.makefile("r")
    found: list[str] = []
    while not (line := stream.readline().strip()).startswith("OK"):
        assert line, "Cyrus went away"
        found.append(line)
    return found


def test_a_calendar_takes_an_event_in_either_generation(running: Cyrus) -> None:
    running.login("jane@example.org")
    event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\n"
    event += (
        "DTSTART:20300101T190000Z\r\nDTEND:20300101T200000Z\r\nSUMMARY:one\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    path = "/dav/calendars/user/jane@example.org/Default/one.ics"
    assert running.put("jane@example.org", path, "text/calendar; charset=utf-8", event) == 201, running.log
