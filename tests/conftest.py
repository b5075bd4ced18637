"""What holds for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

# An Output printed as text is an error, in every test that runs a program or a part of it.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"

# The machine is shared, so an example may take long now and then; the same examples everywhere.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden` writes what was reviewed anew instead of comparing with it."""
    parser.addoption("--golden", action="store_true", help="write golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are written instead of compared."""
    return bool(request.config.getoption("--golden"))


_BESIDE = (
    "bench",
    "lab",
    "toolchain",
    "ops/test_dkim.py",
    "ops/test_dns.py",
    "ops/test_lookup.py",
    "ops/test_push.py",
    "components/test_relay.py",
    "support/test_report.py",
    "support/test_rooms.py",
)
"""Tests of what surrounds the program, and tests that start servers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that take seconds each run beside the engine's, not in the quick layers: generated stacks, servers, tools."""
    here = Path(__file__).parent
    for item in items:
        beside = any(item.path.is_relative_to(here / name) for name in _BESIDE)
        marked = item.get_closest_marker("engine") or item.get_closest_marker("acceptance")
        if is_hypothesis_test(getattr(item, "obj", None)) or (beside and not marked):
            item.add_marker(pytest.mark.thorough)
