"""Every secret that can be rotated is, while mail flows: nothing that was accepted is lost, and nobody is locked out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest

from model import rotation
from model.secrets import secrets
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack
from tests.engine.program import Run
from tests.lab.errors import LabError

_MESSAGES = 400
_SENDERS = 2
pytestmark = [pytest.mark.mode("single-node"), pytest.mark.proves("mariadb", "redis", "postfix", "imap")]


@dataclass(frozen=True)
class Rotated:
    """One update that changed all of `keys`."""

    keys: list[str]
    before: dict[str, str]
    after: dict[str, str]
    update: Run
    acknowledged: set[str]


def _values(stack: Stack) -> dict[str, str]:
    """Flat secrets as they stand in the stack file."""
    line = ("config", "get", "--stack", stack.program.stack)
    wanted = (secret.key for secret in secrets(stack.settings) if secret.key in _ASKED)
    return {key: stack.program.must(*line, f"kolab:{key}").strip() for key in wanted}


_ASKED = ("databasePassword", "redisPassword", "monitoringPassword")


@pytest.fixture(scope="module")
def rotated(stack: Stack, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Rotated:
    """All of them, as an operator does it, while strangers write to Jane."""
    keys = [
        secret.key
        for secret in secrets(stack.settings)
        if secret.format != "rsa2048" and rotation.of(secret.key, stack.settings).kind == "made"
    ]
    before, enough = _values(stack), tmp_path_factory.mktemp("rotation") / "enough"
    for key in keys:
        stack.program.ops("secrets", "rotate", key, "--stack", stack.program.stack)
    senders = _write(stack, enough)
    with report.timed("an update that rotates every secret"):
        update = stack.up()
        stack.wait_ready()
    enough.touch()
    subjects = {subject for sender in senders for subject in sender.communicate()[0].split()}
    return Rotated(keys, before, _values(stack), update, subjects)


def _write(stack: Stack, enough: Path) -> list[Popen[str]]:
    line = ("stream", stack.names.mx, JANE)
    return [
        stack.lab.internet.start(
            stack.client_line(*line, f"rotating{number}", str(_MESSAGES // _SENDERS), str(enough))
        )
        for number in range(_SENDERS)
    ]


@pytest.mark.usefixtures("stranger")
def test_one_update_rotates_every_secret(rotated: Rotated) -> None:
    assert rotated.update.code == 0, rotated.update.output
    assert all(rotated.before[key] != rotated.after[key] for key in _ASKED)


@pytest.mark.usefixtures("stranger")
def test_no_message_that_was_accepted_meanwhile_is_lost(
    stack: Stack, rotated: Rotated, report: Report
) -> None:
    assert len(rotated.acknowledged) >= _MESSAGES
    stack.arrived(JANE, rotated.acknowledged)
    report.note("messages acknowledged while secrets changed (number)", len(rotated.acknowledged))


@pytest.mark.usefixtures("rotated")
def test_people_log_in_with_the_passwords_that_they_know(stack: Stack) -> None:
    answer = stack.client("submit", stack.names.smtp, "465", JANE, PASSWORD, JANE, JOE, "still-me")
    assert answer.startswith("250"), answer
    stack.inbox(JOE, "still-me")


@pytest.mark.usefixtures("rotated")
def test_new_accounts_get_their_mailbox(stack: Stack) -> None:
    """cyrus-admin, whose password Horizon has set anew, makes it."""
    stack.add_user("late@example.org")
    stack.accepted("late@example.org", "welcome-late")
    stack.inbox("late@example.org", "welcome-late")


def test_the_database_knows_the_new_password_and_not_the_old_one(stack: Stack, rotated: Rotated) -> None:
    def asks(password: str) -> str:
        query = 'MYSQL_PWD=$1 mysql -N -h "$DB_HOST" -u "$DB_USERNAME" "$DB_DATABASE" -e "SELECT 1"'
        return stack.kubectl("exec", "deploy/webapp", "--", "bash", "-c", query, "ask", password)

    assert asks(rotated.after["databasePassword"]).strip() == "1"
    with pytest.raises(LabError, match="Access denied"):
        asks(rotated.before["databasePassword"])


def test_redis_knows_the_new_password_and_not_the_old_one(stack: Stack, rotated: Rotated) -> None:
    def asks(password: str) -> str:
        ask = "REDISCLI_AUTH=$1 redis-cli ping 2>&1"
        return stack.kubectl("exec", "redis-0", "--", "bash", "-c", ask, "ask", password)

    assert asks(rotated.after["redisPassword"]).strip() == "PONG"
    assert "PONG" not in asks(rotated.before["redisPassword"])


@pytest.mark.usefixtures("rotated")
def test_the_next_update_protects_again_what_was_replaced(stack: Stack) -> None:
    done = stack.up()
    assert done.code == 0, done.errors or done.output
    guarded = {"webapp-keys", "mariadb-credentials"}
    kept = {each["urn"].rpartition("::")[2] for each in stack.program.state() if each.get("protect")}
    assert guarded <= kept
