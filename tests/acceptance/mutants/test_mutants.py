"""A test of the tests: each mistake is made in a copy of the program, deployed, and has to be noticed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import kept
from tests.acceptance.mutants.mutants import MUTANTS, Mutant
from tests.acceptance.report import FOLDER_VARIABLE
from tests.acceptance.stack import Stack
from tests.engine.program import CHECKOUT
from tests.lab.cluster import Lab

pytestmark = pytest.mark.mutants

_UP_SECONDS = 400
_CONTRACT = 78
"""Exit code of a container of the lab that is not started as its image demands."""


@pytest.fixture(scope="module", autouse=True)
def _whole(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without a mistake all those tests pass; otherwise their failing would say nothing."""
    stack = kept.prepare(lab, "single-node")
    stack.deploy()
    failed = _failures(
        {test for mutant in MUTANTS for test in mutant.tests}, tmp_path_factory.mktemp("whole")
    )
    assert failed == []


@pytest.fixture
def stack(lab: Lab) -> Iterator[Stack]:
    """A stack that is not deployed yet, and is removed after the test."""
    yield kept.prepare(lab, "single-node")
    kept.remove(lab)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_noticed(stack: Stack, mutant: Mutant, tmp_path: Path) -> None:
    mutant.apply(stack.program.root)
    refusals = _deploy(stack)
    if mutant.refusal:
        assert any(mutant.refusal in refusal for refusal in refusals), refusals
        return
    assert refusals == []
    stack.populate()
    assert _failures(mutant.tests, tmp_path) != []


def _deploy(stack: Stack) -> list[str]:
    """The sentences of containers that refuse to run, at the first of which the `up` is ended. None: it is up."""
    stack.lab.set_egress(stack.egress)
    engine = stack.program.start("up", "--yes", env=stack.environment)
    end = time.monotonic() + _UP_SECONDS
    try:
        while engine.poll() is None:
            if refusals := _refusals(stack):
                return refusals
            assert time.monotonic() < end, "it neither came up nor said why not"
            time.sleep(2)
        assert engine.returncode == 0, engine.communicate()[0]
        return []
    finally:
        if engine.poll() is None:
            os.killpg(engine.pid, signal.SIGKILL)
        engine.communicate()


def _refusals(stack: Stack) -> list[str]:
    found = []
    for pod in stack.all_pods():
        for status in pod["status"].get("containerStatuses", []):
            states = (status.get("state", {}), status.get("lastState", {}))
            if any(state.get("terminated", {}).get("exitCode") == _CONTRACT for state in states):
                name = pod["metadata"]["name"]
                found += stack.kubectl("logs", name, "-c", status["name"], "--tail=3").splitlines()
    return found


def _failures(tests: set[str] | tuple[str, ...], reports: Path) -> list[str]:
    """Which of these tests fail on the stack that is kept on the lab, and why."""
    places = [str(Path(__file__).parents[1] / test) for test in sorted(tests)]
    command = [sys.executable, "-m", "pytest", "-m", "acceptance", "-p", "no:cacheprovider", *places]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, FOLDER_VARIABLE: str(reports)},
        capture_output=True,
        text=True,
        check=False,
    )
    report = reports / "report.json"
    assert report.exists(), done.stdout + done.stderr
    proofs = [p for p in json.loads(report.read_text())["proofs"] if p["outcome"] != "skipped"]
    assert proofs, "no test was about this stack"
    return [f"{proof['test']}: {proof['why']}" for proof in proofs if proof["outcome"] == "failed"]
