"""Every secret that can be rotated is, while mail flows: nothing that was accepted is lost, and nobody is locked out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from model import rotation
from model.secrets import secrets
from tests.acceptance.asking import LETS_IN
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack
from tests.engine.program import Run
from tests.engine.sentinels import found_in

_MESSAGES = 400
_SENDERS = 2
pytestmark = [
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("mariadb", "redis", "postfix", "imap"),
]


@dataclass(frozen=True)
class Rotated:
    """One update that changed all of them."""

    before: dict[str, str]
    after: dict[str, str]
    update: Run
    acknowledged: set[str]


def _values(stack: Stack) -> dict[str, str]:
    """The rotated secrets as they stand in the stack file."""
    line = ("config", "--show-secrets", "--json", "--stack", stack.program.stack)
    found = json.loads(stack.program.must(*line))
    return {key: found[f"kolab:{key}"]["value"] for key in KEYS}


KEYS = (
    "databaseRootPassword",
    "databasePassword",
    "legacyDatabasePassword",
    "roundcubeDatabasePassword",
    "redisPassword",
    "imapAdminPassword",
    "noreplyPassword",
    "passportPrivateKey",
    "desKey",
    "filesPassword",
    "meetServerToken",
    "meetWebhookToken",
    "turnSecret",
    "monitoringPassword",
)
"""Every secret that the program makes and exchanges."""
_HASHED = "monitoringPassword"
"""In no Secret but as its hash."""


@pytest.fixture(scope="module")
def rotated(stack: Stack, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Rotated:
    """All of them, as an operator does it, while strangers write to Jane."""
    before, enough = _values(stack), tmp_path_factory.mktemp("rotation") / "enough"
    for key in KEYS:
        stack.program.ops("secrets", "rotate", key, "--stack", stack.program.stack)
    senders = _write(stack, enough)
    with report.timed("an update that rotates every secret"):
        update = stack.up()
        stack.wait_ready()
    enough.touch()
    subjects = {subject for sender in senders for subject in sender.communicate()[0].splitlines()}
    return Rotated(before, _values(stack), update, subjects)


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
    assert all(rotated.before[key] != rotated.after[key] for key in KEYS)


def test_every_secret_that_the_program_makes_is_among_them(stack: Stack) -> None:
    needed = {secret.key for secret in secrets(stack.settings)}
    assert {key for key in needed if rotation.of(key, stack.settings).kind == "made"} == set(KEYS)


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


@pytest.mark.proves("coturn", "meet", "proxy", "webapp")
@pytest.mark.rotates(*LETS_IN)
@pytest.mark.parametrize("key", LETS_IN)
def test_who_asks_for_it_lets_in_the_new_one_and_not_the_old_one(
    stack: Stack, rotated: Rotated, key: str
) -> None:
    assert [LETS_IN[key](stack, values[key]) for values in (rotated.after, rotated.before)] == [True, False]


@pytest.mark.rotates(*KEYS)
def test_pods_have_the_new_ones_and_no_secret_has_an_old_one(stack: Stack, rotated: Rotated) -> None:
    """A pod that runs names Secrets that are there."""
    there = {each["metadata"]["name"]: each for each in stack.get("secrets")["items"]}
    named = {name for pod in stack.pods() for name in _named(pod["spec"])}
    assert named <= there.keys()
    everywhere, seen = json.dumps(list(there.values())), json.dumps([there[name] for name in named])
    assert found_in(everywhere.encode(), rotated.before) == set()
    assert found_in(seen.encode(), rotated.after) == {*KEYS} - {_HASHED}


def _named(node: Any) -> Iterator[str]:
    """Names of the Secrets that a pod needs."""
    if isinstance(node, dict):
        for key in ("secretRef", "secret"):
            source = node.get(key) or {}
            if not source.get("optional"):
                yield from (source[name] for name in ("name", "secretName") if name in source)
        yield from (name for child in node.values() for name in _named(child))
    elif isinstance(node, list):
        yield from (name for child in node for name in _named(child))


@pytest.mark.usefixtures("rotated")
def test_the_next_update_protects_again_what_was_replaced(stack: Stack) -> None:
    done = stack.up()
    assert done.code == 0, done.errors or done.output
    guarded = {"webapp-keys", "mariadb-credentials"}
    kept = {each["urn"].rpartition("::")[2] for each in stack.program.state() if each.get("protect")}
    assert guarded <= kept
