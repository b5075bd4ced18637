"""The report on a pull request of strangers: of renders alone, without a passphrase, a backend, an engine or a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.bench import clock
from tests.support import clone

pytestmark = pytest.mark.thorough

_SEALED = "v1:c3RyYW5nZXJz:bm9ib2R5IGhlcmUgY2FuIHJlYWQgdGhpcw=="
"""A secret whose passphrase nobody here has."""


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A branch that moves an address of the cluster and exchanges a secret which it cannot read."""
    root = clone.repository(tmp_path_factory.mktemp("fork") / "repository")
    clone.lend(root)
    stack = root / "stacks" / "Pulumi.cluster.yaml"
    text = f"{stack.read_text().rstrip()}\n  kolab:redisPassword:\n    secure: {_SEALED}\n"
    stack.write_text(text)
    clone.commit(root, "a stack with secrets")
    assert ": 192.0.2.12\n" in text
    moved = text.replace(": 192.0.2.12\n", ": 192.0.2.77\n")
    stack.write_text(moved.replace(_SEALED, f"{_SEALED[:-4]}eA=="))
    clone.commit(root, "what a stranger proposes")
    return root


def _command(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    nothing = {"PATH": "/usr/bin:/bin", "HOME": str(root / ".nobody"), "PYTHONPATH": str(root)}
    command = [sys.executable, "-P", "-m", "ops", *words, "--stack", "cluster"]
    return subprocess.run(command, cwd=root, env=nothing, capture_output=True, text=True, check=False)


def _report(root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return _command(root, "report", "--base", "HEAD~1", *more)


def test_a_report_of_a_fork_needs_nothing_secret(fork: Path) -> None:
    done = _report(fork, "--format", "json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    titles = {section["title"] for section in found["sections"]}
    assert {"Records", "Secrets"} <= titles, done.stdout[:2000]
    assert found["verdict"] in ("care", "blocked")


def test_a_report_of_a_fork_repeats_no_sealed_secret(fork: Path) -> None:
    for format_ in ("markdown", "html", "json"):
        assert "c3RyYW5nZXJz" not in _report(fork, "--format", format_).stdout


def test_a_report_of_a_fork_costs_no_more_than_three_renders(fork: Path) -> None:
    """Both sides are rendered, the base by its own code. A ratio: a burdened machine is slower in both."""
    whole, render = clock.in_turn([partial(_report, fork), partial(_command, fork, "render")], 2)
    assert whole.processor < 3 * render.processor, (whole, render)
