"""The few calls of the pulumi CLI: what travels on a command line, and what does not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops.stacks import Pulumi, StackProblem

SENTINEL = "S3cretSentinelValue"


@dataclass
class Cli:
    """Records calls, and answers them all alike."""

    code: int = 0
    out: str = ""
    err: str = ""
    commands: list[list[str]] = field(default_factory=list)
    inputs: list[str | None] = field(default_factory=list)
    environments: list[dict[str, str]] = field(default_factory=list)

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        self.inputs.append(options["input"])
        self.environments.append(options["env"])
        return subprocess.CompletedProcess(command, self.code, self.out, self.err)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A pulumi on PATH that only remembers."""
    found = Cli()
    monkeypatch.setattr("ops.stacks.ready", lambda: None)
    monkeypatch.setattr("ops.stacks.subprocess.run", found.run)
    return found


def test_a_secret_travels_on_standard_input_alone(cli: Cli, tmp_path: Path) -> None:
    Pulumi("prod", tmp_path).set_secret("databasePassword", SENTINEL)
    assert cli.commands == [
        [
            "pulumi",
            "--non-interactive",
            "config",
            "set",
            "--secret",
            "kolab:databasePassword",
            "--stack",
            "prod",
        ]
    ]
    assert cli.inputs == [SENTINEL]
    assert SENTINEL not in str(cli.environments)


def test_a_public_value_is_no_argument_either_since_pem_begins_with_hyphens(cli: Cli, tmp_path: Path) -> None:
    Pulumi("prod", tmp_path).set_plain("passportPublicKey", "-----BEGIN PUBLIC KEY-----")
    assert not any("BEGIN" in argument for argument in cli.commands[0])
    assert "--plaintext" in cli.commands[0]


@pytest.mark.parametrize(
    "call",
    [
        lambda pulumi: pulumi.set_secret("k", SENTINEL),
        lambda pulumi: pulumi.set_plain("k", SENTINEL),
    ],
)
def test_a_failure_is_the_last_line_of_the_cli_and_never_the_value(
    cli: Cli, tmp_path: Path, call: Callable[[Pulumi], None]
) -> None:
    cli.code, cli.err = 255, "warning: something\nerror: no such key\n"
    with pytest.raises(StackProblem) as caught:
        call(Pulumi("prod", tmp_path))
    assert str(caught.value) == "pulumi config set on stack prod: error: no such key"


def test_plaintexts_are_the_flat_values_without_their_prefix(cli: Cli, tmp_path: Path) -> None:
    cli.out = '{"kolab:a": {"value": "1", "secret": true}, "kolab:b": {"objectValue": {}, "value": "{}"}}'
    assert Pulumi("prod", tmp_path).plaintexts()["a"] == "1"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What an operator's shell may hold for real stacks."""
    found = {
        "PULUMI_BACKEND_URL": "s3://states",
        "PULUMI_CONFIG_PASSPHRASE": SENTINEL,
        "PULUMI_CONFIG_PASSPHRASE_FILE": "/home/jane/passphrase",
    }
    for key, value in found.items():
        monkeypatch.setenv(key, value)
    return found


def test_a_real_stack_keeps_the_operators_backend_and_passphrase(
    cli: Cli, shell: dict[str, str], tmp_path: Path
) -> None:
    Pulumi("prod", tmp_path).select(create=False)
    assert [os.environ.items() <= given.items() for given in cli.environments] == [True]
    assert shell.items() <= cli.environments[0].items()


@pytest.mark.usefixtures("shell")
def test_local_has_its_own_backend_and_passphrase_inside_the_checkout(cli: Cli, tmp_path: Path) -> None:
    Pulumi("local", tmp_path).select(create=True)
    (found,) = cli.environments
    assert found["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/.local"
    assert found["PULUMI_CONFIG_PASSPHRASE_FILE"] == f"{tmp_path}/.local/passphrase"


@pytest.mark.parametrize("passphrase", [SENTINEL, ""])
def test_a_passphrase_in_the_shell_does_not_reach_local(
    passphrase: str, monkeypatch: pytest.MonkeyPatch, cli: Cli, tmp_path: Path
) -> None:
    # The CLI would take it, were it empty, and never open the file.
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", passphrase)
    Pulumi("local", tmp_path).select(create=True)
    assert "PULUMI_CONFIG_PASSPHRASE" not in cli.environments[0]
