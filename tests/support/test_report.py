"""The report of a run on real clusters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.report import FOLDER_VARIABLE
from tests.engine.program import CHECKOUT

_CONFTEST = """
import pytest
from tests.acceptance.report import Report

def pytest_configure(config):
    config.report = Report()
    config.pluginmanager.register(config.report)

@pytest.fixture
def report(request):
    return request.config.report
"""
_TESTS = """
import pytest

pytestmark = pytest.mark.acceptance

def test_one_is_proven(report):
    report.note("of one", 1.04)

def test_two_fails(report):
    report.note("of two", 2)
    assert not "two"

def test_three_cannot_be_proven():
    pytest.skip("UNPROVEN: nobody could break it")
"""


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["one", "two"])
def test_one_report_says_what_all_processes_have_proven(tmp_path: Path, processes: list[str]) -> None:
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "test_some.py").write_text(_TESTS)
    line = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        *processes,
        str(tmp_path),
    ]
    env = {**os.environ, FOLDER_VARIABLE: str(tmp_path / "report"), "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed, 1 skipped" in done.stdout, done.stdout
    found = json.loads((tmp_path / "report" / "report.json").read_text())
    assert {proof["test"]: proof["outcome"] for proof in found["proofs"]} == {
        "test_some.py::test_one_is_proven": "passed",
        "test_some.py::test_two_fails": "failed",
        "test_some.py::test_three_cannot_be_proven": "unproven",
    }
    assert found["figures"] == {"of one": 1.0, "of two": 2}
