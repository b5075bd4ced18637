"""What the stack has acknowledged is not lost, whatever dies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.acceptance.relaying import assert_no_open_relay
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, Stack, eventually

_MESSAGES = 500
_SENDERS = 4
_KILLED = (
    ("postfix", "postfix"),
    ("postfix", "amavis"),
    ("imap", "imap"),
    ("mariadb", "mariadb"),
    ("redis", "redis"),
    ("webapp", "webapp"),
    ("horizon", "horizon"),
    ("proxy", "proxy"),
)
"""Containers on the way of a message, in the order in which they die."""
_AGAIN_SECONDS = 20
"""A third of the minute for which Postfix would leave a database alone that has failed it."""


@pytest.mark.long
@pytest.mark.mode("single-node")
@pytest.mark.proves("postfix", "amavis", "imap", "mariadb", "webapp")
def test_every_acknowledged_message_arrives_although_each_daemon_is_killed_in_turn(
    stack: Stack, report: Report, tmp_path: Path
) -> None:
    enough = tmp_path / "enough"
    line = [stack.names.mx, JANE]
    senders = [
        stack.lab.internet.start(
            stack.client_line("stream", *line, f"lasting{number}", str(_MESSAGES // _SENDERS), str(enough))
        )
        for number in range(_SENDERS)
    ]
    for daemon, container in _KILLED:
        time.sleep(2)
        stack.kill(stack.pod(daemon), container)
        stack.wait_ready()
    enough.touch()
    acknowledged = {subject for sender in senders for subject in sender.communicate()[0].splitlines()}
    assert len(acknowledged) >= _MESSAGES
    # What could not be delivered while a daemon was dead waits in the queue.
    stack.arrived(JANE, acknowledged)
    found = [subject for subject in stack.subjects(JANE) if subject in acknowledged]
    report.note("messages acknowledged while daemons died (number)", len(acknowledged))
    report.note("of them delivered twice, as SMTP allows (number)", len(found) - len(set(found)))


# Where its database has not been killed before: the kubelet would take longer each time.
@pytest.mark.mode("cluster")
@pytest.mark.proves("postfix", "mariadb")
def test_mail_is_taken_as_soon_as_the_database_is_back(stack: Stack, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    line = stack.client_line("stream", stack.names.mx, JANE, "without-a-database", "1", str(enough))
    # Who misses the database is Postfix' processes that somebody asks meanwhile.
    sender = stack.lab.internet.start(line)
    try:
        stack.kill("mariadb-0", "mariadb")
        stack.wait_ready()
        stack.accepted(JANE, "with-its-database", seconds=_AGAIN_SECONDS)
    finally:
        enough.touch()
        sender.communicate()


@pytest.mark.proves("postfix", "webapp")
def test_postfix_is_no_open_relay_after_a_restart_either(stack: Stack) -> None:
    before = [pod["metadata"]["name"] for pod in stack.pods("postfix")]
    # Not one killed container more: each is started again twice as late as the one before.
    stack.kubectl("delete", "pod", *before)
    eventually(lambda: len(stack.pods("postfix")) == len(before), "a pod of Postfix never came back")
    stack.wait_ready()
    # A node learns a little later than the API server that a pod is ready again, and refuses for it until then.
    stack.accepted(JANE, "after-a-restart")
    assert_no_open_relay(stack)


@pytest.mark.proves("postfix", "amavis", "imap", "webapp")
def test_mail_flows_while_the_api_server_is_away(stack: Stack) -> None:
    assert stack.authority.exists()
    stack.lab.apiserver.stop()
    try:
        answer = stack.received(JANE, "without-an-api-server")
        assert answer.startswith("250"), answer
        stack.inbox(JANE, "without-an-api-server")
    finally:
        stack.lab.apiserver.start()
    stack.wait_ready()
