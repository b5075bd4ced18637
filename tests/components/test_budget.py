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
from tests.support.nginx import unverified
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


def _taken(ours: Mailserver, clients: ExitStack, more: int) -> float:
    """MiB of all sessions, each page counted once, while so many more clients are behind TLS and amid a message."""
    for _ in range(more):
        client = smtplib.SMTP("127.0.0.1", ours.sandbox.port(10025))
        # Not QUIT: it would be part of the message.
        clients.callback(client.close)
        client.starttls(context=unverified())
        for line in (
            "EHLO mail.example.edu",
            "MAIL FROM:<joe@example.org>",
            "RCPT TO:<doe@example.org>",
            "DATA",
        ):
            assert client.docmd(line)[0] in {250, 354}
        client.send(f"Subject: long\r\n\r\n{'z' * 76}\r\n" * 500)
    return sum(map(proportional, [*children(ours, "smtpd"), *children(ours, "cleanup")]))


def proportional(process: Path) -> float:
    """Its memory, what it shares in equal parts, in MiB."""
    (kib,) = re.findall(r"(?m)^Pss: +(\d+) kB", (process / "smaps_rollup").read_text())
    return int(kib) / 1024


def test_a_session_amid_a_message_takes_what_the_budget_says_within_a_fifth(
    running: tuple[Mailserver, Mariadb],
) -> None:
    # First of all: processes that others have left would be used again.
    ours, _ = running
    with ExitStack() as clients:
        few, many = ((number, _taken(ours, clients, number)) for number in (5, 35))
        each = (many[1] - few[1]) / many[0]
    assert budget.SMTPD_MIB / 1.2 <= each <= budget.SMTPD_MIB


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
        assert len(children(ours, "smtpd")) == IDLE


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
