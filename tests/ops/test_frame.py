"""How every command reads its arguments, chooses its stack, and ends."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops import __main__ as program
from ops import dkim, dns, engine, frame
from ops.backend import NO_BACKEND, explained
from ops.stacks import ROOT, StackFile, StackProblem, environment, passphrase_file


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """The options with which `dkim` would run."""
    found: list[argparse.Namespace] = []
    monkeypatch.setattr(dkim, "run", found.append)
    return found


@pytest.mark.parametrize(
    "words",
    [
        "dkim activate --stack mine k202611",
        "dkim activate k202611 --stack mine",
        "dkim --stack mine activate k202611",
        "dkim -s mine activate k202611",
        "dkim activate --server 192.0.2.1 --stack=mine k202611",
    ],
)
def test_options_may_stand_anywhere_between_arguments(words: str, taken: list[argparse.Namespace]) -> None:
    assert program.main(words.split()) == 0
    assert (taken[0].step, taken[0].selector, taken[0].stack) == ("activate", "k202611", "mine")


@pytest.mark.parametrize(
    "words",
    ["nothing", "dkim nothing --stack x", "dkim activate a b --stack x", "dns", "render -- --target x"],
)
def test_a_command_line_that_cannot_be_read_ends_with_2(words: str) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(words.split())
    assert caught.value.code == 2


def test_a_problem_is_one_sentence_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["render", "--stack", "none-such"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("render: there is no stack 'none-such'")


def test_a_command_that_is_interrupted_says_so() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert frame.run("x", interrupted, ()) == 130


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with an example and `local`."""
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.cluster.yaml").write_text("config: {kolab:example: true}\n")
    (tmp_path / "stacks" / "Pulumi.local.yaml").write_text("config: {}\n")
    return tmp_path


def test_the_only_real_stack_is_meant_when_none_is_named(root: Path) -> None:
    (root / "stacks" / "Pulumi.mine.yaml").write_text("config: {kolab:mode: cluster}\n")
    assert frame.chosen_stack(root) == "mine"


def test_of_two_real_stacks_none_is_meant(root: Path) -> None:
    for name in ("mine", "yours"):
        (root / "stacks" / f"Pulumi.{name}.yaml").write_text("- not what it should be\n")
    with pytest.raises(StackProblem, match="--stack; there are mine, yours"):
        frame.chosen_stack(root)


def test_without_a_real_stack_the_way_to_one_is_said(root: Path) -> None:
    with pytest.raises(StackProblem, match=r"\./kolab new"):
        frame.chosen_stack(root)


def test_the_shell_may_name_the_stack(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_STACK", "acme/prod")
    assert frame.chosen_stack(root) == "prod"


# ./kolab pulumi


@pytest.mark.parametrize(
    ("words", "stack"),
    [
        ("config get adminPassword --stack mine", "mine"),
        ("config get adminPassword --stack=mine", "mine"),
        ("-s mine stack output tickets", "mine"),
        ("stack init mine --secrets-provider passphrase", "mine"),
        ("login file://~", None),
        ("config set x -- --stack", None),
    ],
)
def test_the_stack_that_pulumis_arguments_name_gives_the_environment(words: str, stack: str | None) -> None:
    assert engine.named(words.split()) == stack


def test_pulumi_gets_its_arguments_untouched_and_gives_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Done:
        returncode = 7

    def run(command: list[str], **options: Any) -> Done:
        seen.update(options, command=command)
        return Done()

    monkeypatch.setattr(engine, "ready", lambda _: None)
    monkeypatch.setattr(subprocess, "run", run)
    assert program.main(["pulumi", "config", "--help", "--stack", "mine", "--", "-x"]) == 7
    assert seen["command"] == ["pulumi", "config", "--help", "--stack", "mine", "--", "-x"]
    assert seen["cwd"] == ROOT
    assert seen["env"]["PULUMI_STACK"] == "mine"


def test_what_needs_no_engine_never_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("the toolchain is asked for")

    monkeypatch.setattr("ops.tools.ensure", asked)
    monkeypatch.setattr(dns, "ROOT", Path("/nowhere"))
    assert program.main(["dns", "show", "--stack", "single-node"]) == 0
    assert program.main(["rehearse", "--stack", "single-node"]) == 0


# Passphrases and backends


def test_a_kept_passphrase_is_used_unless_the_shell_gives_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    kept = passphrase_file()
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    assert environment("mine")["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(kept)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment("mine")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", NO_BACKEND),
        ("error: incorrect passphrase", "is not the one that encrypted"),
        (
            "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or ..._FILE",
            "none is given. Fix: export",
        ),
        ("error: no stack named 'mine' found", "./kolab pulumi stack init mine"),
    ],
)
def test_what_the_engine_says_of_backend_and_passphrase_gets_a_way_out(said: str, words: str) -> None:
    assert words in (explained(said, "mine") or "")


def test_other_words_of_the_engine_stay_its_own() -> None:
    assert explained("error: something else", "mine") is None


# Files that hold no settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("config: {domain: a.eu, kolab:mode: cluster}", "has keys without their prefix; write kolab:domain"),
        ("", "has no keys yet, such as kolab:mode and kolab:domain; ./kolab new"),
        ("config: {}", "has no keys yet, such as kolab:mode and kolab:domain; ./kolab new"),
    ],
)
def test_one_sentence_names_the_cause(text: str, words: str, root: Path) -> None:
    (root / "stacks" / "Pulumi.mine.yaml").write_text(text)
    with pytest.raises(StackProblem, match=words) as caught:
        StackFile.read("mine", root)
    assert "\n" not in str(caught.value)
