"""kubectl: what goes wrong is one sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.kubectl import Kubectl
from ops.new import cluster
from ops.stacks import StackProblem


@pytest.fixture
def fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl that says what stands in a file."""
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/said >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "said"


@pytest.mark.parametrize(
    "said",
    [
        'error: context "prd" does not exist',
        "Error in configuration: context was not found for specified context: prd",
    ],
)
def test_a_context_that_the_kubeconfig_does_not_have_is_answered_with_those_it_has(
    fails: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    fails.write_text(said)
    monkeypatch.setattr(cluster, "contexts", lambda: ["home", "prod"])
    with pytest.raises(
        StackProblem, match="is prd, which the kubeconfig does not have; its contexts: home, prod"
    ):
        Kubectl("prd", "kolab").run("get", "pods")


def test_its_own_last_words_are_told_without_the_line_that_says_nothing(fails: Path) -> None:
    fails.write_text("no such pod\ncommand terminated with exit code 1\n")
    with pytest.raises(StackProblem, match=r"kubectl get failed: no such pod$"):
        Kubectl("prod", "kolab").run("get", "pods")
