"""Maintenance on a Postfix that runs: senders come back later, nothing leaves, nothing is lost, and a restart changes none of it."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy import deploy
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import wait_for
from tests.support.stacks import changed, stack

pytestmark = pytest.mark.thorough
_SCRIPT = Path("components/scripts/postfix/maintenance.sh")


@pytest.fixture(scope="module")
def server() -> Iterator[Mailserver]:
    with mailserver(deploy(stack("single-node")), None) as running:
        for name in ("postfix", "postqueue"):
            running.sandbox.command(
                name, f'exec /bin/env PATH=/usr/sbin:/usr/bin {name} -c /etc/postfix "$@"'
            )
        yield running


def script(server: Mailserver, word: str) -> str:
    """Our script, as kubectl exec runs it in the container."""
    path = server.sandbox.put("/tmp/maintenance.sh", _SCRIPT.read_text())
    line = ["env", f"PATH={server.sandbox.root}/bin:/usr/sbin:/usr/bin:/bin", "/bin/bash", str(path), word]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def configuration(server: Mailserver) -> str:
    return "".join(server.sandbox.path(f"/etc/postfix/{name}.cf").read_text() for name in ("main", "master"))


def answer(server: Mailserver, recipient: str = "jane@example.org") -> tuple[int, str]:
    with smtplib.SMTP("127.0.0.1", server.sandbox.port(10025)) as client:
        client.ehlo()
        client.mail("stranger@example.org")
        code, text = client.rcpt(recipient)
        return code, text.decode()


def warnings(server: Mailserver) -> str:
    line = ["/usr/sbin/postconf", "-c", str(server.sandbox.path("/etc/postfix")), "-n"]
    return subprocess.run(line, check=True, capture_output=True, text=True).stderr


def waits(server: Mailserver) -> str:
    line = ["/usr/sbin/postqueue", "-c", str(server.sandbox.path("/etc/postfix")), "-p"]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


def held_back(server: Mailserver, subject: str) -> None:
    """A message comes back from Amavis while maintenance lasts, as those do that were there when it began."""
    message = f"From: joe@example.org\nTo: jane@example.org\nSubject: {subject}\n\ntext\n"
    with smtplib.SMTP("127.0.0.1", server.sandbox.port(13025)) as client:
        client.sendmail("joe@example.org", ["jane@example.org"], message)


def test_senders_come_back_later_and_what_is_there_waits_until_it_ends(server: Mailserver) -> None:
    before = configuration(server)
    assert script(server, "state") == "off"
    script(server, "on")
    script(server, "on")
    wait_for(lambda: answer(server)[0] == 451)
    assert "Maintenance: please try again later" in answer(server)[1]
    assert answer(server, "nobody@else.test")[0] == 451, "nobody is told for good that he is nobody"
    held_back(server, "meanwhile")
    wait_for(lambda: "deferred transport" in waits(server))
    assert script(server, "state") == "on"
    assert "meanwhile" not in server.delivered.subjects()

    script(server, "off")
    assert configuration(server) == before
    wait_for(lambda: answer(server)[0] == 250)
    wait_for(lambda: "meanwhile" in server.delivered.subjects())
    assert script(server, "state") == "off"


def test_a_container_that_starts_anew_goes_on_with_maintenance(server: Mailserver) -> None:
    before = configuration(server)
    script(server, "begin")
    assert configuration(server) == before, "where there is none, a start changes nothing"
    server.sandbox.put("/var/spool/postfix/kolab-maintenance", "")
    script(server, "begin")
    assert "451 4.3.2 Maintenance" in configuration(server)
    assert "defer_transports = " in configuration(server)
    script(server, "off")
    assert configuration(server) == before


def test_the_stack_file_has_every_start_begin_with_maintenance() -> None:
    with mailserver(deploy(changed("single-node", {"mail": {"maintenance": True}})), None) as resting:
        wait_for(lambda: answer(resting)[0] == 451)
        assert answer(resting, "nobody@example.org")[0] == 451, "who is not restored yet is not unknown"
        assert script(resting, "state") == "on"


def test_its_end_without_a_beginning_changes_nothing(server: Mailserver) -> None:
    before = configuration(server)
    script(server, "off")
    assert configuration(server) == before


def test_postfix_warns_of_no_unread_parameter_before_and_while_it_lasts(server: Mailserver) -> None:
    assert warnings(server) == ""
    script(server, "on")
    assert warnings(server) == ""
    script(server, "off")
    assert warnings(server) == ""
