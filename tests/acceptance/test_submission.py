"""Mail of our own users: submitted with a password, in their own name only, and signed."""

from __future__ import annotations

import pytest

from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack

_WAY_OUT = pytest.mark.proves("proxy", "postfix", "amavis", "imap", "webapp")


@_WAY_OUT
@pytest.mark.parametrize("port", ["465", "587"])
def test_a_submitted_message_is_signed_and_delivered(stack: Stack, port: str) -> None:
    answer = stack.client("submit", stack.names.smtp, port, JANE, PASSWORD, JANE, JOE, f"signed-{port}")
    assert answer.startswith("250"), answer
    message = stack.inbox(JOE, f"signed-{port}")
    assert "DKIM-Signature:" in message
    assert "d=example.org" in message


@pytest.mark.proves("proxy", "postfix", "webapp")
@pytest.mark.parametrize("sender", [JOE, "ceo@example.org", "jane@elsewhere.test"])
def test_nobody_sends_in_somebody_elses_name(stack: Stack, sender: str) -> None:
    answer = stack.client("submit", stack.names.smtp, "587", JANE, PASSWORD, sender, JANE, "forged")
    assert answer.startswith("5"), answer


@pytest.mark.proves("proxy", "postfix")
@pytest.mark.parametrize("port", ["465", "587"])
def test_nobody_submits_without_a_password(stack: Stack, port: str) -> None:
    answer = stack.client("submit_anonymously", stack.names.smtp, port, JANE, "someone@elsewhere.test")
    assert answer.startswith("5"), answer
