"""No secret is on a command line (where the shell's history and every process list have it), or in what is printed."""

from __future__ import annotations

import argparse
import io
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from ops.__main__ import _MODULES, main, parser
from ops.artisan import MARK
from tests.ops.cluster_of import FakeCluster, stand_in
from tests.ops.test_every_command import ANSWERS, DESTROYS, LISTINGS, leaves

_SECRET = "S3cret-Horse-Battery"
_ABOUT_SECRETS = re.compile(r"password|passphrase|secret|token|\bkey\b", re.IGNORECASE)
NAMES_A_FILE = {
    "user add": {"--passwords-to"},
    "user passwd": {"--passwords-to"},
    "dns push": {"--key"},
    "secrets": {"--from"},
}
"""Command -> its options about secrets: each is the path of a file that holds them."""
NAMES_A_SECRET = {"secrets": {"key"}}
"""What says which secret is meant, and not what it is."""
TALKS = {
    "status": "status",
    "topology": "topology",
    "trace": "trace jane@example.org",
    "feedback": "feedback",
    "logs": "logs webapp",
    "user add": "user add new@example.org --quota 6 --alias n@example.org",
    "user list": "user list",
    "user show": "user show jane@example.org",
    "user passwd": "user passwd jane@example.org",
    "user suspend": "user suspend jane@example.org",
    "user resume": "user resume jane@example.org",
    "user quota": "user quota jane@example.org 6",
    "user alias": "user alias jane@example.org j@example.org",
    "user 2fa-reset": "user 2fa-reset jane@example.org",
    "domain add": "domain add",
    "domain list": "domain list",
    "domain resume": "domain resume old.test",
    "list list": "list list",
    "list show": "list show team@example.org",
    "list add": "list add team@example.org jane@example.org",
    "list drop": "list drop team@example.org jane@example.org",
    "resource list": "resource list",
    "block": "block jane@example.org",
    "unblock": "unblock jane@example.org",
    "quarantine list": "quarantine list",
    "quarantine show": "quarantine show abcdefABC-_1",
    "queue list": "queue list",
    "queue why": "queue why",
    "queue hold": "queue hold --all",
    "queue release": "queue release --all",
    "queue requeue": "queue requeue --all",
    "maintenance off": "maintenance off",
    "maintenance show": "maintenance show",
    "backup list": "backup list",
    "backup drill": "backup drill database",
    "backup now": "backup now database",
    **{name: f"{line} --context prod" for name, line in DESTROYS.items()},
}
"""Command that works in the cluster -> a line of it."""
ASKS_DNS = {"domain verify"}
"""A command of these modules that needs name servers; it changes nothing and reads no input."""


def test_every_command_that_works_in_the_cluster_is_in_the_table() -> None:
    """What the others hand on, tests/ops/test_pulumi_calls.py follows."""
    working = {
        command
        for module, commands in _MODULES.items()
        if any(hasattr(import_module(module), name) for name in ("Kubectl", "of_stack"))
        for command in commands
    }
    found = {name for name, _ in leaves(parser()) if name.split()[0] in working}
    assert {"user add", "queue delete", "maintenance on", "block"} <= found
    assert found - ASKS_DNS == {*TALKS} & found


@pytest.mark.parametrize(
    ("name", "made"), list(leaves(parser())), ids=lambda each: each if isinstance(each, str) else ""
)
def test_no_argument_is_a_secret(name: str, made: argparse.ArgumentParser) -> None:
    for action in made._actions:
        called = (action.option_strings or [action.dest])[-1]
        if not _ABOUT_SECRETS.search(called):
            continue
        file = called in NAMES_A_FILE.get(name, ())
        assert file or called in NAMES_A_SECRET.get(name, ()), f"{name} takes {called}"
        assert not file or action.type is Path


@pytest.mark.parametrize("line", TALKS.values())
def test_a_password_that_is_typed_is_in_no_process_list_and_never_printed(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even when the application repeats it in a refusal."""

    def application(_: tuple[str, ...], text: str | None) -> str:
        answers = []
        for name, arguments in json.loads(text or "[]"):
            given = next((arguments[key] for key in ("password", "--password") if key in arguments), None)
            answers.append([1, f"Not good enough: {given}"] if given else [0, LISTINGS.get(name, "")])
        return "".join(f"{MARK}{json.dumps(answer)}\n" for answer in answers)

    empty = '{"items": []}'
    cluster = stand_in(monkeypatch, ANSWERS | {"exec php": application, "get pods,": empty}, "full")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{_SECRET}\n"))
    main([*line.split(), "--stack", "x"])
    said = capsys.readouterr()
    assert _SECRET not in said.out + said.err
    assert not [call for call in cluster.calls if any(_SECRET in word for word in call)]
    if line.split()[:2] in (["user", "add"], ["user", "passwd"]):
        assert _handed_over(cluster), "the password never reached the application, so nothing was proven"
        assert "Not good enough: (password)" in said.err


def _handed_over(cluster: FakeCluster) -> bool:
    return any(_SECRET in text for text in cluster.texts)


def test_passwords_of_a_file_are_never_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    people = tmp_path / "people.csv"
    people.write_text(f"email,password\nnew@example.org,{_SECRET}\nbad@example.org,{_SECRET} {_SECRET}\n")
    cluster = stand_in(monkeypatch, {}, "full")
    assert main(["user", "add", "--from", str(people), "--stack", "x"]) == 1
    said = capsys.readouterr()
    assert "line 3" in said.err
    assert _SECRET not in said.out + said.err
    assert not cluster.calls
