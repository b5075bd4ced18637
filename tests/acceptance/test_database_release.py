"""A newer MariaDB takes the data over while mail comes, and the dump of before leads back (docs/how-to/update-the-database.md)."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.console import CONTEXT, Console
from tests.acceptance.receiving import unique
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack
from tests.acceptance.streams import strangers_write
from tests.lab.cluster import Lab

pytestmark = [
    # Three updates with mail all the while: too long for what runs before every change.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("mariadb", "mariadb-11-8", "postfix", "imap"),
    pytest.mark.usefixtures("stranger"),
]

_OLD, _NEW = "10.5", "11.8"
_NAME = "Zoë \U0001f418"
"""A character of four bytes is spoiled first where a character set goes astray."""
_CONTACT = """
INSERT INTO roundcube.users (username, mail_host, created) VALUES ('anna@example.org', 'imap', NOW());
INSERT INTO roundcube.contacts (user_id, name, email) VALUES (LAST_INSERT_ID(), 'Zoë 🐘', 'zoe@example.com')
"""
_LEAST = 50
"""Messages that a stranger hands over during an update."""
_BACK = {
    "rule": "database-goes-back",
    "subject": "kolab:mariadb.release",
    "reason": "the dump of before leads back",
}
_SQL = """
s=/tmp/mysql.sock; [ -S "$s" ] || s=/var/lib/mysql/mysql.sock
exec "$(command -v mariadb || command -v mysql)" --no-defaults --socket="$s" -u root --default-character-set=utf8mb4 -N -B -e "$1"
"""


def sql(stack: Stack, statement: str) -> str:
    """What the server answers to its own root."""
    line = ("exec", "mariadb-0", "-c", "mariadb", "--", "/bin/bash", "-c", _SQL, "sql", statement)
    return stack.kubectl(*line).strip()


def _person(stack: Stack, name: str) -> str:
    """An account that has received a message."""
    address = f"{name}{time.time_ns()}@example.org"
    stack.add_user(address)
    stack.accepted(address, f"to {name}")
    stack.inbox(address, f"to {name}")
    return address


@dataclass(frozen=True)
class Taken:
    """What was there before, and what came while the newer release took the data over."""

    console: Console
    before: str
    """An account."""
    served: str
    """The release that the server said that it was."""
    previewed: str
    acknowledged: set[str]


@pytest.fixture(scope="module")
def taken(stack: Stack, own_lab: Lab, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    del own_lab
    console = Console(stack, tmp_path_factory.mktemp("console"))
    before = _person(stack, "before")
    served = sql(stack, "SELECT VERSION()")
    sql(stack, _CONTACT)
    stack.program.change({"mariadb.release": _NEW})
    previewed = stack.engine("preview").output
    with (
        strangers_write(stack, JANE, tmp_path_factory.mktemp("meanwhile") / "enough", _LEAST) as acknowledged,
        report.timed("an update that has a newer MariaDB take the data over"),
    ):
        stack.apply()
    return Taken(console, before, served, previewed, acknowledged)


def _contact(stack: Stack) -> str:
    return sql(stack, "SELECT name FROM roundcube.contacts WHERE email = 'zoe@example.com'")


def _lives(stack: Stack, person: str) -> None:
    """Logs in, writes, and is written to."""
    subject = unique("still here")
    said = stack.client("submit", stack.names.smtp, "465", person, PASSWORD, person, JOE, subject)
    assert said.startswith("250"), said
    stack.inbox(JOE, subject)
    stack.accepted(person, subject)
    stack.inbox(person, subject)


def test_a_preview_says_that_data_are_taken_over_and_people_cannot_log_in_meanwhile(taken: Taken) -> None:
    assert f"MariaDB {_NEW} takes over the data of {_OLD}: they are dumped first" in taken.previewed


def test_the_newer_release_serves_the_data_of_the_older_one(stack: Stack, taken: Taken) -> None:
    assert not taken.served.startswith(_NEW)
    assert sql(stack, "SELECT VERSION()").startswith(_NEW)
    assert _contact(stack) == _NAME


def test_people_of_before_log_in_and_get_mail_and_new_ones_come(stack: Stack, taken: Taken) -> None:
    _lives(stack, taken.before)
    _lives(stack, _person(stack, "after"))


def test_no_message_that_was_accepted_meanwhile_is_lost(stack: Stack, taken: Taken, report: Report) -> None:
    assert len(taken.acknowledged) >= _LEAST
    stack.arrived(JANE, taken.acknowledged)
    report.note("messages acknowledged while MariaDB took data over (number)", len(taken.acknowledged))


def test_the_way_back_is_refused_until_it_is_acknowledged(stack: Stack, taken: Taken) -> None:
    del taken
    stack.program.change({"mariadb.release": _OLD})
    done = stack.engine("preview")
    stack.program.change({"mariadb.release": _NEW})
    assert done.code != 0
    assert any("database-goes-back" in error or "cannot read data" in error for error in done.errors), (
        done.errors
    )


def test_the_dump_of_before_leads_back_and_no_mail_is_lost(
    stack: Stack, taken: Taken, report: Report, tmp_path: Path
) -> None:
    later = _person(stack, "later")
    kept = stack.program.config().get("kolab:acknowledge") or []
    words = ("backup", "restore", "database", "--before-migration")
    with (
        strangers_write(stack, JANE, tmp_path / "enough", _LEAST) as acknowledged,
        report.timed("the way back to the older MariaDB, with the dump of before"),
    ):
        stack.program.change({"mariadb.release": _OLD, "acknowledge": [*kept, _BACK]})
        done = stack.up()
        assert done.code == 0, "\n".join(done.errors) or done.output
        taken.console.says(*words)
        taken.console.says(*words, "--context", CONTEXT)
        stack.wait_ready()
    stack.program.change({"acknowledge": kept or None})
    stack.apply()
    assert sql(stack, "SELECT VERSION()") == taken.served
    assert _contact(stack) == _NAME
    _lives(stack, taken.before)
    # Accounts of after the dump are gone, and the old data lie beside the new ones.
    assert later not in sql(stack, "SELECT email FROM kolabdev.users").split()
    line = shlex.split("exec mariadb-0 -c mariadb -- ls -A /var/lib/mysql/data/.kolab-aside")
    assert "kolabdev" in stack.kubectl(*line).split()
    assert len(acknowledged) >= _LEAST
    stack.arrived(JANE, acknowledged | taken.acknowledged)
