"""`./kolab queue`: which messages are meant, what is said of them, and what Postfix is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.__main__ import main
from ops.queue.advice import advice
from ops.queue.messages import Wanted, read
from ops.stacks import StackProblem
from tests.ops.cluster_of import FakeCluster, stand_in


def line(identity: str, queue: str, sender: str, *to: tuple[str, str]) -> str:
    """A line as postqueue(1) documents it."""
    recipients = [
        {"address": address} | ({"delay_reason": reason} if reason else {}) for address, reason in to
    ]
    return json.dumps(
        {
            "queue_name": queue,
            "queue_id": identity,
            "arrival_time": 1700000000,
            "message_size": 2048,
            "forced_expire": False,
            "sender": sender,
            "recipients": recipients,
        }
    )


ONE = line(
    "4F1A2B3C4D", "deferred", "jane@example.org", ("a@far.test", "connect to far.test: Connection timed out")
)
TWO = line("5F1A2B3C4D", "hold", "MAILER-DAEMON", ("Joe@Example.net", ""))
ZERO, FIRST = (
    f"{ONE}\n{TWO}\n",
    line("6F1A2B3C4D", "deferred", "x@else.test", ("jane@example.org", "4.2.2 over quota")),
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    answers = {"exec postfix-0 postqueue -j": ZERO, "exec postfix-1 postqueue -j": FIRST}
    return stand_in(monkeypatch, answers, "cluster")


def run(*words: str) -> int:
    return main(["queue", *words, "--stack", "x"])


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), ["4F1A2B3C4D", "5F1A2B3C4D"]),
        (Wanted(sender="jane@example.org"), ["4F1A2B3C4D"]),
        (Wanted(sender="JANE@example.org"), ["4F1A2B3C4D"]),
        (Wanted(sender="@example.org"), ["4F1A2B3C4D"]),
        (Wanted(sender="<>"), ["5F1A2B3C4D"]),
        (Wanted(recipient="joe@example.net"), ["5F1A2B3C4D"]),
        (Wanted(domain="far.test"), ["4F1A2B3C4D"]),
        (Wanted(domain="test"), []),
        (Wanted(queue="hold"), ["5F1A2B3C4D"]),
        (Wanted(ids=("4F1A2B3C4D",), queue="hold"), []),
    ],
)
def test_whatever_is_given_must_hold(wanted: Wanted, ids: list[str]) -> None:
    assert [each.id for each in read("postfix-0", ZERO) if wanted.holds(each)] == ids


def test_all_replicas_are_asked_and_what_waits_in_each_is_told(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {(each["pod"], each["id"]) for each in found} == {
        ("postfix-0", "4F1A2B3C4D"), ("postfix-0", "5F1A2B3C4D"), ("postfix-1", "6F1A2B3C4D"),
    }  # fmt: skip
    assert found[0]["recipients"] == [
        {"address": "a@far.test", "reason": "connect to far.test: Connection timed out"}
    ]


def test_a_replica_that_does_not_answer_is_named_and_the_others_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(
        monkeypatch,
        {"postfix-0 postqueue": ZERO, "postfix-1 postqueue": StackProblem("its node is away")},
        "cluster",
    )
    assert run("list") == 1
    seen = capsys.readouterr()
    assert "4F1A2B3C4D" in seen.out
    assert seen.err.strip() == "queue: what waits in postfix-1 is not known: its node is away"


def test_a_reason_is_told_once_with_what_to_do(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("why") == 0
    said = capsys.readouterr().out
    assert "1 message (6F1A2B3C4D):\n  4.2.2 over quota\n  A mailbox is full" in said
    assert "(5F1A2B3C4D):\n  held: somebody" in said


def test_words_that_nobody_knows_get_the_way_of_postfix() -> None:
    assert "goes on trying" in advice("421 come back when the moon is full")


def test_ids_go_in_on_standard_input_to_the_pod_that_has_them(cluster: FakeCluster) -> None:
    assert run("hold", "--domain", "example.org") == 0
    told = [call[1:] for call in cluster.calls if "postsuper" in call]
    assert told == [
        ("-i", "postfix-0", "-c", "postfix", "--", "postsuper", "-h", "-"),
        ("-i", "postfix-1", "-c", "postfix", "--", "postsuper", "-h", "-"),
    ]
    assert cluster.texts == ["4F1A2B3C4D\n", "6F1A2B3C4D\n"]


def test_only_what_is_held_is_released_and_then_tried_at_once(cluster: FakeCluster) -> None:
    assert run("release", "--all") == 0
    assert len(cluster.said("postsuper", "-H")) == 1
    assert cluster.texts == ["5F1A2B3C4D\n"]
    assert cluster.said("postqueue", "-i", "5F1A2B3C4D")


@pytest.mark.parametrize("action", ["hold", "release", "requeue"])
def test_a_dry_run_changes_nothing(
    action: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(action, "--all", "--dry-run") == 0
    assert "would be" in capsys.readouterr().out
    assert not cluster.said("postsuper")


def test_delete_says_what_it_throws_away_and_waits_for_the_clusters_name(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("delete", "--sender", "jane@example.org") == 0
    said = capsys.readouterr().out
    assert "4F1A2B3C4D from jane@example.org to a@far.test" in said
    assert "repeat it with --context prod" in said
    assert not cluster.said("postsuper")
    assert run("delete", "--sender", "jane@example.org", "--context", "prod") == 0
    assert cluster.texts == ["4F1A2B3C4D\n"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["delete"], "say which: queue ids, --sender"),
        (["hold", "ALL"], "'ALL' is no queue id; ./kolab queue list"),
        (["hold", "4F1A2B3C4D\nALL"], "is no queue id"),
        (["requeue", "-"], "'-' is no queue id"),
        (["delete", "4F1A2B3C4D", "AAAA2B3C4D", "--context", "prod"], "AAAA2B3C4D waits nowhere"),
        (["delete", "--all", "--context", "staging"], "names another cluster than the stack"),
    ],
)
def test_what_is_not_clear_is_refused_in_one_sentence(
    words: list[str], problem: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert problem in said
    assert not cluster.said("postsuper")


def test_an_answer_of_an_older_or_newer_postfix_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    each: dict[str, Any] = json.loads(ONE)
    del each["forced_expire"]
    (found,) = read("postfix-0", json.dumps(each | {"something": "new"}) + "\n")
    assert found.reasons == ("connect to far.test: Connection timed out",)
