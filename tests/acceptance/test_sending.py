"""Mail to the world, as a receiver judges it; from every node that may send, for every domain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from model import identity, topology
from model.identity.record import Record, parse
from tests.acceptance.configs import egress
from tests.acceptance.receiver import DOMAIN, NOBODY, UNWILLING
from tests.acceptance.receiving import Receiver, unique
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack, eventually

_READER = f"reader@{DOMAIN}"
_WAY_OUT = pytest.mark.proves("postfix", "amavis", "webapp")


Sent = Mapping[tuple[str, str], Mapping[str, Any]]
"""Node and author -> what the receiver says of the message."""


@pytest.fixture(scope="module")
def sent(stack: Stack, receiver: Receiver) -> Sent:
    """A message of each domain's user from each node that may send, handed to that node's replica by webmail."""
    webmail = stack.pod("roundcube")
    port = str(topology.POSTFIX.port("submission").number)
    subjects = {}
    for node in egress(stack.settings):
        address = stack.get("pod", stack.pod_on("postfix", node))["status"]["podIP"]
        for author in (JANE, JOE):
            subject = unique(f"from {node} by {author}")
            line = stack.client_line("submit_inside", address, port, author, PASSWORD, _READER, subject)
            answer = stack.in_pod(webmail, line)
            assert answer.startswith("250"), answer
            subjects[node, author] = subject
    return {key: receiver.get(subject) for key, subject in subjects.items()}


@_WAY_OUT
def test_the_receiver_sees_the_egress_address_of_the_node(stack: Stack, sent: Sent) -> None:
    addresses = egress(stack.settings)
    seen = {key: letter["verdict"]["client"] for key, letter in sent.items()}
    assert seen == {(node, author): addresses[node] for node, author in sent}


@_WAY_OUT
def test_that_address_has_a_name_which_leads_back_to_it(stack: Stack, sent: Sent) -> None:
    seen = {key: letter["verdict"]["names"] for key, letter in sent.items()}
    assert seen == {key: [stack.names.helo] for key in sent}


@_WAY_OUT
def test_postfix_introduces_itself_by_that_name(stack: Stack, sent: Sent) -> None:
    seen = {key: letter["verdict"]["helo"] for key, letter in sent.items()}
    assert seen == dict.fromkeys(sent, stack.names.helo)


@_WAY_OUT
def test_spf_passes_for_the_sender_and_for_the_server(sent: Sent) -> None:
    seen = {key: (letter["verdict"]["spf"], letter["verdict"]["helo_spf"]) for key, letter in sent.items()}
    assert seen == dict.fromkeys(sent, ("pass", "pass"))


@_WAY_OUT
def test_the_signature_of_the_authors_domain_holds(sent: Sent) -> None:
    seen = {key: letter["verdict"]["dkim"] for key, letter in sent.items()}
    assert seen == {(node, author): {author.partition("@")[2]: True} for node, author in sent}


@_WAY_OUT
def test_dmarc_passes_by_the_way_and_by_the_signature(sent: Sent) -> None:
    """Each alone would do; mail that is forwarded keeps the second only."""
    seen = {key: (letter["verdict"]["dmarc"], letter["verdict"]["aligned"]) for key, letter in sent.items()}
    assert seen == dict.fromkeys(sent, ("pass", ["spf", "dkim"]))


@pytest.mark.proves("postfix")
def test_mail_travels_encrypted_to_whoever_can(sent: Sent) -> None:
    assert {key: letter["encrypted"] for key, letter in sent.items()} == dict.fromkeys(sent, True)


@pytest.mark.proves("proxy", "postfix", "amavis", "webapp")
@pytest.mark.parametrize("port", ["465", "587"])
def test_a_message_does_not_tell_from_where_it_was_submitted(
    stack: Stack, receiver: Receiver, port: str
) -> None:
    """Neither the address of the user's computer nor its name."""
    subject = unique(f"from home by {port}")
    answer = stack.client("submit", stack.names.smtp, port, JANE, PASSWORD, JANE, _READER, subject)
    assert answer.startswith("250"), answer
    text = receiver.get(subject)["text"]
    assert "Received:" in text
    assert stack.lab.internet.address not in text
    assert "laptop.sender.test" not in text


@pytest.mark.proves("proxy", "postfix", "amavis", "imap", "webapp")
@pytest.mark.parametrize(("recipient", "reason"), [(NOBODY, "550 5.1.1"), (UNWILLING, "554 5.7.1")])
@pytest.mark.usefixtures("receiver")
def test_the_author_hears_of_a_refused_message_and_why(stack: Stack, recipient: str, reason: str) -> None:
    subject = unique("refused")
    answer = stack.client("submit", stack.names.smtp, "465", JANE, PASSWORD, JANE, recipient, subject)
    assert answer.startswith("250"), answer
    report = eventually(lambda: _report_about(stack, subject), f"no report about {subject} reached {JANE}")
    assert f"Final-Recipient: rfc822; {recipient}" in report
    assert "Action: failed" in report
    assert f"Diagnostic-Code: smtp; {reason}" in report


def _report_about(stack: Stack, subject: str) -> str | None:
    """The delivery report (RFC 3464) in Jane's inbox that quotes the subject; it has no sender itself."""
    inbox = stack.client("read", stack.names.imap, "993", JANE, PASSWORD, "Undelivered Mail")
    return next((report for report in inbox.split("Return-Path: <>") if subject in report), None)


@pytest.mark.proves("postfix", "amavis", "imap", "webapp")
def test_a_report_without_a_sender_is_vouched_for_by_the_name_of_the_server(
    stack: Stack, receiver: Receiver
) -> None:
    answer = stack.client("ask_for_report", stack.names.mx, _READER, JANE, unique("please report"))
    assert answer.startswith("250"), answer
    letter = receiver.get("Successful Mail Delivery Report")
    verdict = letter["verdict"]
    assert letter["sender"] == ""
    assert verdict["client"] in egress(stack.settings).values()
    assert (verdict["spf"], verdict["dmarc"], verdict["aligned"]) == ("pass", "pass", ["spf"])


def test_the_world_can_check_every_record(stack: Stack) -> None:
    """Each name and type has exactly the values of the model, the reverse names included."""
    wanted = set(identity.records(stack.settings))
    questions = sorted({f"{record.name}/{record.type}" for record in wanted})
    answers: dict[str, list[str]] = json.loads(stack.client("records", *questions))
    found: set[Record] = {parse(line) for lines in answers.values() for line in lines}
    assert sorted(map(str, found)) == sorted(map(str, wanted))
