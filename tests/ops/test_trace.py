"""`./kolab trace`: lines of three daemons become the way of one message."""

from __future__ import annotations

import json

import pytest

from ops.__main__ import main
from ops.trace.steps import about, messages, read
from tests.ops.cluster_of import FakeCluster, stand_in

_AT = "2026-11-27T10:00:{:02}.123456789Z"


def line(second: int, text: str, container: str = "postfix", pod: str = "postfix-0") -> str:
    return f"[pod/{pod}/{container}] {_AT.format(second)} {text}"


def postfix(second: int, process: str, text: str, pod: str = "postfix-0") -> str:
    return line(second, f"Nov 27 10:00:{second:02} {pod} postfix/{process}[12]: {text}", pod=pod)


IN = [
    postfix(1, "smtpd", "4AAAAAAA11: client=mail.else.test[203.0.113.9]"),
    postfix(1, "cleanup", "4AAAAAAA11: message-id=<one@else.test>"),
    postfix(1, "qmgr", "4AAAAAAA11: from=<bob@else.test>, size=900, nrcpt=1 (queue active)"),
    line(3, "(00012-01) Passed SPAMMY {RelayedTaggedInbound}, [203.0.113.9]:4321 [203.0.113.9] <bob@else.test> ->"
            " <jane@example.org>, Queue-ID: 4AAAAAAA11, Message-ID: <one@else.test>, mail_id: x, Hits: 5.2, size: 900,"
            " queued_as: 4BBBBBBB22, Tests: [BAYES_00=-1.9,MISSING_DATE=1.4,RCVD_IN_SBL=5.7], 300 ms", "amavis"),
    postfix(3, "smtp-amavis/smtp", "4AAAAAAA11: to=<jane@example.org>, relay=127.0.0.1[127.0.0.1]:13024, delay=2,"
            " delays=0/0/0/2, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:13025): 250 2.0.0 Ok: queued as"
            " 4BBBBBBB22)"),
    postfix(4, "lmtp", "4BBBBBBB22: to=<jane@example.org>, orig_to=<doe@example.org>, relay=imap[10.1.2.3]:11024, delay=1,"
            " dsn=2.1.5, status=sent (250 2.1.5 Ok)"),
    line(4, "Nov 27 10:00:04 imap-0 lmtpunix[77]: Delivered: <one@else.test> to mailbox: user.jane@example^org", "imap", "imap-0"),
]  # fmt: skip
OTHER = [
    # The same queue id in another replica is another message.
    postfix(2, "smtpd", "4AAAAAAA11: client=unknown[10.0.0.5], sasl_method=PLAIN, sasl_username=joe@example.net", "postfix-1"),
    postfix(2, "smtp", "4AAAAAAA11: to=<far@far.test>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1,"
            " status=deferred (connect to far.test[198.51.100.9]:25: Connection timed out)", "postfix-1"),
    postfix(5, "smtpd", "NOQUEUE: reject: RCPT from x.test[203.0.113.7]: 550 5.1.1 <no@example.org>: User unknown in local"
            " recipient table; from=<x@x.test> to=<no@example.org> proto=ESMTP helo=<x.test>"),
]  # fmt: skip


@pytest.mark.parametrize(
    "wanted", ["<one@else.test>", "one@else.test", "BOB@else.test", "doe@example.org", "4BBBBBBB22"]
)
def test_a_message_is_found_by_its_id_its_people_and_its_queue_ids(wanted: str) -> None:
    (group,) = about(messages(read(IN + OTHER)), wanted)
    assert [step.where.split(" (")[0] for step in group] == [
        "Postfix smtpd", "Postfix cleanup", "Postfix qmgr", "Amavis", "Postfix smtp-amavis/smtp", "Postfix lmtp", "Cyrus",
    ]  # fmt: skip


def test_each_verdict_has_its_reason() -> None:
    (group,) = about(messages(read(IN)), "one@else.test")
    amavis = next(step for step in group if step.where.startswith("Amavis"))
    assert amavis.what.startswith(
        "let through as SPAMMY, score 5.2, by RCVD_IN_SBL 5.7, BAYES_00 -1.9, MISSING_DATE 1.4: probably spam: marked in its subject"
    )
    assert group[-1].what == "in mailbox user.jane@example^org"


def test_what_the_filter_keeps_says_how_it_is_released() -> None:
    kept = line(3, "(00012-01) Blocked INFECTED (Eicar-Signature) {DiscardedInbound,Quarantined}, [203.0.113.9]:4321 [203.0.113.9]"
                " <bob@else.test> -> <jane@example.org>, quarantine: virus-gtC8AkOl-l9H, Queue-ID: 4AAAAAAA11, Message-ID:"
                " <one@else.test>, mail_id: gtC8AkOl-l9H, Hits: -, size: 900, 300 ms", "amavis")  # fmt: skip
    (group,) = about(messages(read([*IN[:3], kept])), "one@else.test")
    assert (group[-1].what, group[-1].problem) == ("stopped as INFECTED: a virus was found", True)
    assert "./kolab quarantine release gtC8AkOl-l9H" in group[-1].advice


def test_what_waits_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, {"logs -c postfix": "\n".join(IN + OTHER)})
    assert main(["trace", "joe@example.net", "--stack", "x"]) == 0
    said = capsys.readouterr().out
    assert "who logged in as joe@example.net" in said
    assert "! Postfix smtp (postfix-1): not yet delivered to far@far.test: connect to far.test" in said
    assert "./kolab doctor looks at that" in said
    assert "jane@example.org" not in said


def test_what_was_refused_at_the_door_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, {"logs -c postfix": "\n".join(IN + OTHER)})
    assert main(["trace", "no@example.org", "--stack", "x", "--json"]) == 0
    ((step,),) = json.loads(capsys.readouterr().out)
    assert step["problem"]
    assert "550 5.1.1 <no@example.org>: User unknown" in step["what"]


def test_what_nobody_knows_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, {})
    assert main(["trace", "nobody@else.test", "--stack", "x"]) == 1
    assert "Nothing is known of nobody@else.test" in capsys.readouterr().out


def test_lines_of_no_message_are_no_steps() -> None:
    noise = [
        "",
        "no head",
        line(1, "entry: waiting"),
        postfix(1, "smtpd", "connect from x[1.2.3.4]"),
        line(2, "x", "imap", "imap-0"),
    ]
    assert list(read(noise)) == []


@pytest.mark.parametrize(
    "words", [["a b"], ["x@y.test", "--since", "yesterday"], ["x@y.test", "--last", "0"], ["'"]]
)
def test_a_trace_that_cannot_be_meant_is_refused(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster: FakeCluster = stand_in(monkeypatch, {})
    assert main(["trace", *words, "--stack", "x"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not cluster.calls
