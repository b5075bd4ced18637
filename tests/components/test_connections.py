"""Connections to the database while it is slow: what daemons are told at each size of an organisation, and what a real Postfix
then opens."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from components import entry
from model import budget
from model.sizing import PROFILES
from tests.support.deploy import Deployment, deploy
from tests.support.mariadb import Mariadb, locked, mariadb
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import PATIENCE
from tests.support.stacks import changed

CLIENTS = 60
HELD = 1.0
"""Seconds that every answer of the database waits, again and again: questions come together."""
STEADY = 2
"""Times that no more connections were opened, after which there will be no more."""


def of(size: str) -> Deployment:
    return deploy(changed("single-node", {"size": size}))


@pytest.mark.parametrize("size", PROFILES)
def test_daemons_are_told_the_numbers_that_the_budget_counts(size: str) -> None:
    stack = of(size)
    postfix = stack.file("postfix", "postfix", f"{entry.PATH}/{entry.SETTINGS}").splitlines()
    assert {f"KOLAB_PROXYMAPS={budget.PROXYMAPS}", f"KOLAB_TABLES={budget.TABLES}"} <= set(postfix)
    assert stack.workload("postfix").env("amavis")["KOLAB_PROCESSES"] == str(budget.AMAVIS)
    assert stack.workload("roundcube").env("roundcube")["MAX_CONCURRENT_REQUESTS"] == str(budget.PHP)
    start = stack.file("webapp", "webapp", f"{entry.PATH}/start.sh")
    more = budget.OCTANE - budget.OCTANE_WORKERS
    assert f"--workers={budget.OCTANE_WORKERS} --task-workers={more})" in start


@pytest.fixture(scope="module")
def database() -> Iterator[Mariadb]:
    with mariadb(max_connections="400") as found:
        yield found


@pytest.mark.thorough
@pytest.mark.parametrize("size", PROFILES)
def test_postfix_opens_what_the_budget_says_within_a_fifth_while_the_database_is_slow(
    size: str, database: Mariadb
) -> None:
    with mailserver(of(size), None, database=database, generation="b") as ours, _crowd(ours):
        said = budget.PROXYMAPS * budget.TABLES
        most = _most(database, said / 1.2)
    assert said / 1.2 <= most <= said


def _most(database: Mariadb, awaited: float) -> int:
    """The most connections that were seen. As many as are awaited may take their time on a busy machine."""
    most = steady = 0
    late = time.monotonic() + PATIENCE
    while steady < STEADY or (most < awaited and time.monotonic() < late):
        tables = database.ask(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'kolabdev'"
        )
        with locked(database.client, [f"kolabdev.`{name}`" for name in tables]):
            until, seen = time.monotonic() + HELD, 0
            while time.monotonic() < until:
                seen = max(seen, database.connections())
                time.sleep(0.1)
        steady = 0 if seen > most else steady + 1
        most = max(seen, most)
    return most


@contextmanager
def _crowd(ours: Mailserver) -> Iterator[None]:
    """Clients that each name one recipient after the other, of many domains, all at once."""
    enough = threading.Event()
    threads = [threading.Thread(target=_ask, args=(ours, number, enough)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def _ask(ours: Mailserver, number: int, enough: threading.Event) -> None:
    # As many from each address as may come (smtpd_client_connection_count_limit).
    address = f"127.0.1.{number // budget.SMTPD_PER_CLIENT + 1}"
    turn = 0
    while not enough.is_set():
        with (
            suppress(OSError, smtplib.SMTPException),
            smtplib.SMTP("127.0.0.1", ours.sandbox.port(10025), source_address=(address, 0)) as client,
        ):
            client.ehlo("mail.example.edu")
            while not enough.is_set():
                turn += 1
                client.docmd("RSET")
                client.mail("joe@example.edu")
                client.rcpt(f"nobody{number}x{turn}@{('example.org', f'{turn}.example.net')[turn % 2]}")
