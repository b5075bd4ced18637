"""What `make up` of local passes on of the engine's words."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from ops import deploy
from ops.deploy import without_plaintext_warnings

_SECRET = "  kubernetes:core/v1:Secret (webapp-keys):\n"
_WARNING = "    warning: rendered YAML will contain a secret value in plaintext\n"
_END = ["Resources:\n", "    + 114 created\n"]


def _passed_on(*lines: str) -> list[str]:
    return list(without_plaintext_warnings(lines))


def test_diagnostics_of_plaintext_alone_leave_no_heading() -> None:
    config = "  kubernetes:apps/v1:Deployment (webapp-pods):\n"
    said = [
        "Updating (local)\n",
        "\n",
        "Diagnostics:\n",
        _SECRET,
        _WARNING,
        "\n",
        config,
        _WARNING,
        "\n",
        *_END,
    ]
    assert _passed_on(*said) == ["Updating (local)\n", "\n", *_END]


def test_what_else_is_said_of_a_secret_keeps_both_headings() -> None:
    other = "    error: disk full\n"
    assert _passed_on("Diagnostics:\n", _SECRET, _WARNING, other, "\n", *_END) == [
        "Diagnostics:\n",
        _SECRET,
        other,
        "\n",
        *_END,
    ]


def test_what_is_said_of_others_is_left_alone() -> None:
    said = ["Diagnostics:\n", "  pulumi:pulumi:Stack (kolab-local):\n", "    warning: look\n", *_END]
    assert _passed_on(*said[:1], _SECRET, _WARNING, "\n", *said[1:]) == said


def test_diagnostics_at_the_end_of_all_leave_no_heading() -> None:
    assert _passed_on("Diagnostics:\n", _SECRET, _WARNING, "\n") == []


@pytest.mark.parametrize(("command", "says"), [("up", True), ("preview", False), ("destroy", False)])
def test_an_up_says_first_how_its_wait_is_ended(
    command: str, says: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before: list[str] = []

    def engine(arguments: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        before.append(capsys.readouterr().err)
        return subprocess.CompletedProcess(arguments, 0)

    monkeypatch.setattr(subprocess, "run", engine)
    deploy.engine([command, "--stack", "mine"], "mine")
    assert ["press Ctrl-C once to stop waiting" in text for text in before] == [says]
