"""`./kolab block` and `./kolab maintenance`: what is told to whom, in which order, and what is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ops import maintenance
from ops.__main__ import main
from ops.artisan import MARK
from ops.people.block import _SESSIONS
from ops.stacks import StackProblem
from tests.ops.cluster_of import Answer, FakeCluster, stand_in
from tests.ops.test_queue import line
from tests.support.stacks import changed

JANE = "jane@example.org"
WAITING = "\n".join(
    (
        line("AAAA111111", "deferred", JANE, ("a@far.test", "busy")),
        line("BBBB111111", "deferred", "doe@example.org", ("a@far.test", "busy")),
        line("CCCC111111", "hold", JANE, ("a@far.test", "")),
        line("DDDD111111", "deferred", "joe@example.org", (JANE, "busy")),
    )
)


def application(_: tuple[str, ...], text: str | None) -> str:
    said = {"users": f"1 {JANE} 34\n2 admin@example.org 34\n", "user:aliases": "doe@example.org\n"}
    return "".join(f"{MARK}{json.dumps([0, said.get(name, '')])}\n" for name, _ in json.loads(text or "[]"))


@pytest.fixture
def answers() -> dict[str, Answer]:
    return {
        "exec php": application,
        "exec webapp oauth": "2\n",
        "exec imap-0": "1\n",
        "postqueue -j": WAITING,
        "get pods": "proxy-a proxy-b",
    }


@pytest.fixture
def cluster(answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    return stand_in(monkeypatch, answers)


def asked(cluster: FakeCluster) -> list[str]:
    return [name for text in cluster.texts if text.startswith("[[") for name, _ in json.loads(text)]


def test_a_block_suspends_ends_sessions_and_holds_what_waits_of_the_account_and_its_aliases(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["block", JANE, "--stack", "x"]) == 0
    said = capsys.readouterr().out
    assert "suspended; 2 logins and 1 mail sessions ended; 2 messages held" in said
    assert f"./kolab unblock {JANE}" in said
    assert "user:suspend" in asked(cluster)
    assert "AAAA111111\nBBBB111111\n" in cluster.texts
    suspended = next(n for n, text in enumerate(cluster.texts) if "user:suspend" in text)
    assert suspended < cluster.texts.index("AAAA111111\nBBBB111111\n")


def test_a_block_is_taken_back_and_what_was_held_is_released(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["unblock", JANE, "--stack", "x"]) == 0
    assert "in use again; 1 messages released" in capsys.readouterr().out
    assert "user:unsuspend" in asked(cluster)
    assert "CCCC111111\n" in cluster.texts


@pytest.mark.parametrize("command", ["block", "unblock"])
def test_a_dry_run_of_a_block_changes_nothing(
    command: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, JANE, "--dry-run", "--stack", "x"]) == 0
    assert "would be" in capsys.readouterr().out
    assert not {"user:suspend", "user:unsuspend"} & set(asked(cluster))
    assert not cluster.said("postsuper")


def test_half_a_block_is_none_where_a_queue_does_not_answer(
    answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = stand_in(monkeypatch, answers | {"postqueue -j": StackProblem("its node is away")})
    assert main(["block", JANE, "--stack", "x"]) == 1
    assert "so its mail would get away" in capsys.readouterr().err
    assert "user:suspend" not in asked(cluster)


@pytest.mark.parametrize(
    ("who", "problem"),
    [("nobody@example.org", "there is no account"), ("admin@example.org", "would stop them all"), ("x@else.test", "no domain")],
)  # fmt: skip
def test_who_cannot_be_blocked_is_refused(
    who: str, problem: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["block", who, "--stack", "x"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert problem in said
    assert "user:suspend" not in asked(cluster)


def test_only_the_sessions_of_the_account_are_ended(tmp_path: Path) -> None:
    """The script itself, on files as Cyrus writes them, with processes of the test."""
    sleepers = [subprocess.Popen(["/bin/sleep", "60"]) for _ in range(3)]
    try:
        (tmp_path / "proc").mkdir()
        for sleeper, user in zip(sleepers, (JANE, "jane@example.org.test", "joe@example.org"), strict=True):
            (tmp_path / "proc" / str(sleeper.pid)).write_text(f"imap\t[10.0.0.1]\t{user}\tuser.x\t\n")
        (tmp_path / "imapd.conf").write_text(f"configdirectory: {tmp_path}\n")
        script = _SESSIONS.replace("/etc/imapd.conf", str(tmp_path / "imapd.conf"))
        done = subprocess.run(
            ["/bin/bash", "-c", script], input=f"{JANE}\n", text=True, capture_output=True, check=True
        )
        assert done.stdout == "1\n"
        sleepers[0].wait(10)
        assert [each.poll() for each in sleepers[1:]] == [None, None]
    finally:
        for each in sleepers:
            each.kill()
            each.wait()


# Maintenance


def test_maintenance_reaches_every_pod_and_names_the_one_that_does_not_answer(
    answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = stand_in(monkeypatch, {"exec proxy-a": StackProblem("it is gone")} | answers, "cluster")
    assert main(["maintenance", "on", "--context", "prod", "--stack", "x"]) == 1
    assert "proxy-a is as it was: it is gone; give the same command again" in capsys.readouterr().err
    told = [(call[1], call[-1]) for call in cluster.calls if call[0] == "exec"]
    assert told == [
        ("postfix-0", "on"), ("postfix-1", "on"),
        ("proxy-a", "/tmp/kolab-maintenance"), ("proxy-b", "/tmp/kolab-maintenance"),
    ]  # fmt: skip


def test_what_the_stack_file_wants_is_not_ended_by_a_command(
    answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = stand_in(monkeypatch, answers)
    settings = changed("single-node", {"mail": {"maintenance": True}})
    monkeypatch.setattr(maintenance, "of_stack", lambda _: (settings, cluster))
    assert main(["maintenance", "off", "--stack", "x"]) == 1
    said = capsys.readouterr().err
    assert "kolab:mail.maintenance is true" in said
    assert "remove the key, then make up STACK=x ends it" in said
    assert not [call for call in cluster.calls if call[0] == "exec"]


def test_pages_that_are_open_while_the_stack_file_puts_senders_off_are_no_error(
    answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = stand_in(monkeypatch, answers | {"exec postfix-0": "on\n", "exec proxy": ""})
    settings = changed("single-node", {"mail": {"maintenance": True}})
    monkeypatch.setattr(maintenance, "of_stack", lambda _: (settings, cluster))
    assert main(["maintenance", "show", "--stack", "x"]) == 0


def test_pods_that_disagree_about_maintenance_are_an_error(
    answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, answers | {"exec postfix-0": "on\n", "exec proxy": ""})
    assert main(["maintenance", "show", "--stack", "x"]) == 1
    seen = capsys.readouterr()
    assert "postfix-0: maintenance" in seen.out
    assert "Some pods rest and others do not" in seen.err
