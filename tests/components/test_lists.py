"""Generation B's tables, tried with the real daemons: a list, a shared folder and a catch-all have a place to go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deploy import deploy
from tests.support.mariadb import mariadb
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import wait_for
from tests.support.stacks import changed

pytestmark = pytest.mark.thorough

_ROWS = """
INSERT INTO kolabdev.groups VALUES (1, 'team@example.org', 2), (2, 'old@example.org', 6);
INSERT INTO kolabdev.group_members VALUES (1, 'jane@example.org'), (1, 'joe@example.org'), (2, 'joe@example.org');
INSERT INTO kolabdev.shared_folders VALUES (1, 'shop@example.org', 'mail', 2);
INSERT INTO kolabdev.shared_folder_settings VALUES (1, 'folder', 'shared/shop@example.org');
INSERT INTO kolabdev.user_aliases VALUES (2, 'catchall@example.net');
"""


@pytest.fixture(scope="module")
def ours() -> Iterator[Mailserver]:
    with mariadb() as database:
        database.ask(_ROWS)
        with mailserver(
            deploy(changed("single-node", {})), None, database=database, generation="b"
        ) as running:
            yield running


def receivers(ours: Mailserver, to: str) -> set[str]:
    """Whom Cyrus gets a message for that was sent to an address."""
    subject = f"to {to}"
    ours.send(to, subject)
    wait_for(lambda: subject in ours.delivered.subjects())
    return {who for recipients, text in ours.delivered.took if subject in text for who in recipients}


def test_mail_to_a_list_reaches_its_members(ours: Mailserver) -> None:
    assert receivers(ours, "team@example.org") == {"jane@example.org", "joe@example.org"}


def test_mail_to_a_shared_folder_goes_to_cyrus_by_its_name(ours: Mailserver) -> None:
    (to,) = receivers(ours, "shop@example.org")
    assert to.startswith("shared+shared/shop@example.org")


def test_a_catch_all_takes_what_nobody_else_has(ours: Mailserver) -> None:
    assert receivers(ours, "whoever@example.net") == {"joe@example.org"}


def test_our_own_addresses_come_before_the_images_tables(ours: Mailserver) -> None:
    assert receivers(ours, "postmaster@example.org") == {"jane@example.org"}
