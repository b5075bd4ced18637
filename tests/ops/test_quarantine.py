"""`./kolab quarantine`: what is kept in all replicas, what is said of it, and what happens to it."""

from __future__ import annotations

import base64
import json

import pytest

from ops.__main__ import main
from ops.quarantine.kept import read
from ops.stacks import StackProblem
from tests.ops.cluster_of import Answer, FakeCluster, stand_in

VIRUS, SPAM = "gtC8AkOlYl9H", "abcdefABC-_1"


def line(name: str, header: str, at: int = 1700000000) -> str:
    """What the script prints of a file."""
    text = header.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    return f"{name} {at} 2048 {base64.b64encode(text).decode()}\n"


ONE = line(
    f"virus-{VIRUS}",
    "Return-Path: <>\n"
    "X-Envelope-From: <forged@sender.test>\n"
    "X-Envelope-To: <jane@example.org>,\n <joe@example.org>\n"
    "X-Envelope-To-Blocked: <jane@example.org>,\n <joe@example.org>\n"
    "X-Amavis-Alert: INFECTED, message contains virus: Eicar-Signature\n"
    "Received: from x\n"
    "X-Envelope-To: <mallory@evil.test>\n"
    "X-Amavis-Alert: INFECTED, message contains virus: nothing at all\n"
    "Subject: =?utf-8?q?caf=C3=A9=1B=5B2J=E2=80=AE?=\n",
    at=1700000100,
)
TWO = line(
    f"spam-{SPAM}",
    "X-Envelope-From: <>\nX-Envelope-To: <joe@example.org>\nX-Spam-Score: 23.4\nSubject: cheap \x1b]0;x\x07\x9b2J\n",
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    answers = {
        "exec postfix-0 quarantine.pl list": ONE,
        "exec postfix-1 quarantine.pl list": TWO,
        "quarantine.pl release": "250 2.0.0 Ok: queued as 4F1A2B3C4D\n",
    }
    return stand_in(monkeypatch, answers, "cluster")


def run(*words: str) -> int:
    return main(["quarantine", *words, "--stack", "x"])


def changed(cluster: FakeCluster) -> list[tuple[str, ...]]:
    """What pods were told to release or delete: pod and words."""
    words = ("release", "delete")
    return [(call[1], *call[-2:]) for call in cluster.calls if any(word in call for word in words)]


def test_all_replicas_are_asked_and_the_oldest_stands_first(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--json") == 0
    spam, virus = json.loads(capsys.readouterr().out)
    assert (virus["pod"], virus["id"], virus["why"]) == ("postfix-0", VIRUS, "Eicar-Signature")
    assert (spam["pod"], spam["id"], spam["why"], spam["sender"]) == ("postfix-1", SPAM, "score 23.4", "")
    assert virus["sender"] == "forged@sender.test"
    assert virus["since"] == "2023-11-14T22:15:00+00:00"


def test_the_filters_own_words_count_and_not_those_of_the_sender(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--json") == 0
    (virus,) = (each for each in json.loads(capsys.readouterr().out) if each["id"] == VIRUS)
    assert virus["recipients"] == ["jane@example.org", "joe@example.org"]


@pytest.mark.parametrize("words", [("list",), ("show", VIRUS, SPAM), ("delete", VIRUS, SPAM)])
def test_nothing_that_a_stranger_wrote_moves_the_cursor(
    words: tuple[str, ...], cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 0
    said = capsys.readouterr().out
    assert "café[2J" in said
    assert all(each.isprintable() for each in said.replace("\n", ""))


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("=?unknown?q?x?=", "=?unknown?q?x?="),
        ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
        ("gr\udcc3\udcbcn", "grün"),
        ("\udcff", "\ufffd"),
        ("", ""),
    ],
)
def test_a_subject_that_breaks_the_rules_is_shown_as_well_as_it_can_be(subject: str, shown: str) -> None:
    (found,) = read("postfix-0", line(f"spam-{SPAM}", f"X-Envelope-To: <a@b.test>\nSubject: {subject}\n"))
    assert found.subject == shown


def test_what_the_script_never_prints_is_left_out() -> None:
    assert read("postfix-0", f"banned-{SPAM} 1 2 eA==\nvirus-a 1 2 eA==\nvirus-{SPAM}\n\n") == []


def test_a_replica_that_does_not_answer_is_named_and_the_others_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: dict[str, Answer] = {"postfix-0 list": ONE, "postfix-1 list": StackProblem("its node is away")}
    stand_in(monkeypatch, answers, "cluster")
    assert run("list") == 1
    seen = capsys.readouterr()
    assert VIRUS in seen.out
    assert seen.err.strip() == "quarantine: what postfix-1 keeps is not known: its node is away"


def test_an_empty_quarantine_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, {}, "cluster")
    assert run("list") == 0
    assert capsys.readouterr().out == "Nothing is kept.\n"


def test_spam_is_released_at_once_by_the_pod_that_keeps_it(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("release", SPAM) == 0
    assert changed(cluster) == [("postfix-1", "release", f"spam-{SPAM}")]
    said = capsys.readouterr().out
    assert said == f"{SPAM} goes to joe@example.org: 250 2.0.0 Ok: queued as 4F1A2B3C4D\n"


def test_a_virus_is_released_once_the_cluster_is_named(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("release", VIRUS, SPAM) == 0
    said = capsys.readouterr().out
    assert "2 messages would be delivered in context prod, 1 with a virus that the filter knows" in said
    assert f"{VIRUS} (Eicar-Signature) from forged@sender.test to jane@example.org, joe@example.org" in said
    assert "repeat it with --context prod" in said
    assert not changed(cluster)
    assert run("release", VIRUS, "--context", "prod") == 0
    assert changed(cluster) == [("postfix-0", "release", f"virus-{VIRUS}")]


def test_a_refusal_of_postfix_is_said_and_keeps_no_other_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: dict[str, Answer] = {
        "postfix-0 list": ONE,
        "postfix-1 list": TWO,
        "postfix-1 release": StackProblem("kubectl exec failed: quarantine: Postfix does not take it"),
        "postfix-0 release": "250 Ok\n",
    }
    fake = stand_in(monkeypatch, answers, "cluster")
    assert run("release", VIRUS, SPAM, "--context", "prod") == 1
    seen = capsys.readouterr()
    assert seen.err.startswith(f"quarantine: {SPAM} was not released: kubectl exec failed")
    assert f"{VIRUS} goes to" in seen.out
    assert len(changed(fake)) == 2


def test_delete_says_what_it_throws_away_and_waits_for_the_clusters_name(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("delete", SPAM) == 0
    assert "from <> to joe@example.org: cheap" in capsys.readouterr().out
    assert not changed(cluster)
    assert run("delete", SPAM, "--context", "prod") == 0
    assert changed(cluster) == [("postfix-1", "delete", f"spam-{SPAM}")]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["release", "../secret"], "'../secret' is no id of a kept message; ./kolab quarantine list"),
        (["release", f"spam-{SPAM}\nx"], "is no id of a kept message"),
        (["delete", "a b"], "'a b' is no id"),
        (["show", "short"], "'short' is no id"),
        (["release", "_bcdefABC-_1"], "is no id"),
        (
            ["release", SPAM, "notThere0000"],
            "notThere0000 is not kept: released, deleted or too old; nothing",
        ),
        (["release", SPAM, "--context", "staging"], "names another cluster than the stack"),
        (["release", VIRUS, "--context", "staging"], "names another cluster than the stack"),
    ],
)
def test_what_is_not_clear_is_refused_in_one_sentence(
    words: list[str], problem: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert problem in said
    assert not changed(cluster)
