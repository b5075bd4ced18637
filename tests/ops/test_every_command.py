"""What holds for every command: none destroys anything in another cluster than the stack's."""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Iterator
from importlib import import_module

import pytest

from ops.__main__ import _MODULES, main, parser
from ops.artisan import MARK
from ops.frame import go_ahead
from ops.stacks import StackProblem
from tests.ops.cluster_of import Answer, FakeCluster, stand_in

DESTROYS = {
    "backup restore": "backup restore mail",
    "domain remove": "domain remove old.test",
    "domain suspend": "domain suspend old.test",
    "list remove": "list remove team@example.org",
    "maintenance on": "maintenance on",
    "quarantine delete": "quarantine delete abcdefABC-_1",
    "quarantine release": "quarantine release abcdefABC-_1",
    "queue delete": "queue delete --all",
    "user remove": "user remove jane@example.org",
}
"""Command that destroys something or stops mail -> a line of it."""
_MESSAGE = (
    '{"queue_name": "hold", "queue_id": "4F1A2B3C4D", "arrival_time": 1, "message_size": 1, "sender": "a@b.test",'
    ' "recipients": [{"address": "c@d.test"}]}'
)
_KEPT = f"virus-abcdefABC-_1 1700000000 99 {base64.b64encode(b'X-Envelope-To: <c@d.test>').decode()}\n"
ANSWERS: dict[str, Answer] = {
    "get cronjob": '{"metadata": {}, "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}}}',
    "get job": '{"status": {"conditions": [{"type": "Complete", "status": "True"}]}}',
    "postqueue -j": _MESSAGE,
    "quarantine.pl list": _KEPT,
    "restic snapshots": '[{"id": "a1b2c3d4", "time": "2026-11-26T01:30:00Z", "tags": ["mail"]}]',
}
READS = ("get", "logs")
ASKS = (("postqueue", "-j"), ("restic", "snapshots"), ("/kolab/entry/quarantine.pl", "list"))
"""What kubectl may be told before the cluster is named: nothing that changes anything."""
LISTINGS = {
    "users": "1 jane@example.org 34\n",
    "domains": "1 example.org 50\n2 old.test 50\n",
    "group:info": "Member: jane@example.org\n",
    "user:aliases": "",
    "user:entitlements": "mailbox: 1\n",
}
"""What the web application may be asked, and what it says."""


def leaves(made: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its own arguments."""
    below = [action for action in made._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for word, inner in action.choices.items():
            yield from leaves(inner, f"{name} {word}".strip())
    if not below:
        yield name, made


def test_the_table_of_modules_says_whose_each_command_is() -> None:
    for module, names in _MODULES.items():
        made = argparse.ArgumentParser().add_subparsers()
        import_module(module).add_command(made)
        assert tuple(made.choices) == names


@pytest.mark.parametrize("command", ["user", "generate", "", None])
def test_a_command_is_read_as_if_all_were_there(command: str | None) -> None:
    found = {name for name, _ in leaves(parser(command))}
    everything = {name for name, _ in leaves(parser())}
    assert found == (
        {name for name in everything if name.startswith("user ")} if command == "user" else everything
    )


def test_the_table_has_every_command_that_wants_the_clusters_name() -> None:
    assert {name for name, made in leaves(parser()) if made.get_default("destroys")} == set(DESTROYS)


def asked(cluster: FakeCluster) -> list[str]:
    """Commands of the web application that were called."""
    return [name for text in cluster.texts if text.startswith("[[") for name, _ in json.loads(text)]


def application(_: tuple[str, ...], text: str | None) -> str:
    """Listings as they are; anything else is done without a word."""
    calls = json.loads(text or "[]")
    return "".join(f"{MARK}{json.dumps([0, LISTINGS.get(name, '')])}\n" for name, _ in calls)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    return stand_in(monkeypatch, ANSWERS | {"exec php": application}, "full")


def only_reads(cluster: FakeCluster) -> None:
    for call in cluster.calls:
        asks = any(set(words) <= set(call) for words in ASKS) or "php" in call
        assert call[0] in READS or asks, call
    assert set(asked(cluster)) <= LISTINGS.keys()


@pytest.mark.parametrize("line", DESTROYS.values())
def test_another_context_than_the_stacks_is_refused(
    line: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line.split(), "--stack", "x", "--context", "staging"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "--context names another cluster than the stack, which runs in prod; nothing was changed" in said
    only_reads(cluster)


@pytest.mark.parametrize("line", DESTROYS.values())
def test_without_the_contexts_name_nothing_is_changed(
    line: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line.split(), "--stack", "x"]) == 0
    assert "Nothing was changed. To go ahead, repeat it with --context prod" in capsys.readouterr().out
    only_reads(cluster)


@pytest.mark.parametrize("line", DESTROYS.values())
def test_with_the_contexts_name_something_is_changed(line: str, cluster: FakeCluster) -> None:
    """Else the tests above would hold of a command that does nothing at all."""
    main([*line.split(), "--stack", "x", "--context", "prod"])
    with pytest.raises(AssertionError):
        only_reads(cluster)


@pytest.mark.parametrize(
    ("typed", "goes"), [("prod\n", True), ("staging\n", False), ("\n", False), ("y\n", False)]
)
def test_a_terminal_is_asked_for_the_name_and_nothing_else_will_do(
    typed: str, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return typed

    monkeypatch.setattr("sys.stdin", Terminal())
    if goes:
        assert go_ahead(None, "prod", "All is lost.")
    else:
        with pytest.raises(StackProblem, match="that is not prod; nothing was changed"):
            go_ahead(None, "prod", "All is lost.")
