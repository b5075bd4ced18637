"""What Postfix takes of the database, of memory and of the web application, tried with the real daemons."""

from __future__ import annotations

import re
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from model import budget
from tests.support.deploy import deploy
from tests.support.mariadb import Mariadb, mariadb
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import wait_for
from tests.support.stacks import changed

pytestmark = pytest.mark.thorough

IDLE = 90


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Mailserver, Mariadb]]:
    """Our Postfix, and a MariaDB that takes as many connections as an untouched one."""
    with (
        mariadb(max_connections="151") as database,
        mailserver(deploy(changed("single-node", {})), None, database=database) as ours,
    ):
        yield ours, database


def children(ours: Mailserver, service: str) -> list[Path]:
    """Processes of a service of this Postfix."""
    master = ours.sandbox.path("/var/spool/postfix/pid/master.pid").read_text().strip()
    found = subprocess.run(
        ["pgrep", "-P", master, "-x", service], capture_output=True, text=True, check=False
    )
    return [Path(f"/proc/{number}") for number in found.stdout.split()]


def private(process: Path) -> float:
    """Its memory that no other process shares, in MiB."""
    text = (process / "smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"Private_\w+: +(\d+) kB", text)) / 1024


def test_sessions_that_wait_share_a_handful_of_connections(running: tuple[Mailserver, Mariadb]) -> None:
    ours, database = running
    with ExitStack() as clients:
        for _ in range(IDLE):
            client = clients.enter_context(smtplib.SMTP("127.0.0.1", ours.sandbox.port(10025)))
            client.ehlo("mail.example.edu")
            assert client.mail("joe@example.org")[0] == 250
            assert client.rcpt("doe@example.org")[0] == 250
            assert client.rcpt("nobody@example.org")[0] == 550
        assert 0 < database.connections() <= budget.PROXYMAPS * budget.TABLES
        sessions = children(ours, "smtpd")
        assert len(sessions) == IDLE
        # With cleanup beside each; TLS and a message come on top (model/budget.py).
        assert sum(map(private, sessions)) / IDLE < 2.5


def test_mail_is_still_delivered_by_the_database_s_word(running: tuple[Mailserver, Mariadb]) -> None:
    ours, _ = running
    ours.send("doe@example.org", "by alias")
    wait_for(lambda: "by alias" in ours.delivered.subjects())
    assert any("jane@example.org" in recipients for recipients, _ in ours.delivered.took)


def test_postfix_may_ask_what_it_is_told_to_ask(running: tuple[Mailserver, Mariadb]) -> None:
    # "request for unapproved table" would put off all mail.
    ours, _ = running
    assert "unapproved" not in ours.log
    assert "proxy_read_maps" not in ours.log


def test_every_policy_is_bounded_in_number_and_time(running: tuple[Mailserver, Mariadb]) -> None:
    ours, _ = running
    master = ours.sandbox.text("/etc/postfix/master.cf")
    bounded = re.findall(rf"(?m)^(policy_\w+) +unix +\S+ +\S+ +\S+ +\S+ +{budget.POLICIES} +spawn", master)
    assert sorted(bounded) == ["policy_greylist", "policy_spf", "policy_submission"]
    for policy in bounded:
        assert f"{policy}_time_limit = {budget.POLICY_SECONDS}s" in ours.sandbox.text("/etc/postfix/main.cf")


def test_postfix_leaves_one_process_of_amavis_to_whoever_asks_whether_it_is_there(
    running: tuple[Mailserver, Mariadb],
) -> None:
    ours, _ = running
    master = ours.sandbox.text("/etc/postfix/master.cf")
    bounded = re.findall(r"(?m)^smtp-amavis +unix +\S+ +\S+ +\S+ +\S+ +(\d+) +smtp", master)
    assert list(map(int, bounded)) == [budget.FILTERED] == [budget.AMAVIS - 1]


def test_one_stranger_cannot_take_all_sessions(running: tuple[Mailserver, Mariadb]) -> None:
    ours, _ = running
    master = ours.sandbox.text("/etc/postfix/master.cf")
    assert f"smtpd_client_connection_count_limit={budget.SMTPD_PER_CLIENT}" in master.replace(" = ", "=")
