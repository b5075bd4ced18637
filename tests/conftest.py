"""What holds for all tests."""

from __future__ import annotations

import functools
import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

from tests.support.shared import FOLDER

# Whole stacks are made by the hundred and most objects stay: looking for garbage was a third of the time.
gc.set_threshold(100_000, 50, 100)

# An Output printed as text is an error, in every test that runs a program or a part of it.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"

# The machine is shared, so an example may take long now and then; the same examples everywhere.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden` writes what was reviewed anew instead of comparing with it."""
    parser.addoption("--golden", action="store_true", help="write golden files anew")


def pytest_configure(config: pytest.Config) -> None:
    """Gives the processes of this run a folder for what one makes and all read."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="kolab-tests-")
        os.environ[FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay until the end: the garbage collector need not look at them each time."""
    gc.freeze()


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
    "ops/test_first_look.py",
    "ops/test_lookup.py",
    "ops/test_push.py",
    "components/test_mailbox_beside.py",
    "components/test_message_size.py",
    "components/test_priorities.py",
    "components/test_proxy.py",
    "components/test_proxy_attacks.py",
    "components/test_proxy_edge.py",
    "components/test_proxy_logins.py",
    "components/test_rehearsal.py",
    "components/test_relay.py",
    "support/test_report.py",
    "support/test_rooms.py",
)
"""Tests of what surrounds the program, that start servers, or make many whole stacks."""
_LONGEST = ("replay", "workflows", "engine/identity")
"""Files that keep one process busy for minutes: first, so that no process is left alone with one in the end."""
_LONG = (
    "components/test_amavis_images.py",
    "components/test_imap_images.py",
    "components/test_mailbox_beside.py",
    "components/test_postfix_images.py",
    "components/test_proxy_crowd.py",
    "engine/identity",
    "engine/test_prefixes.py",
    "ops/test_doctor.py",
    "ops/test_images_mirror.py",
    "ops/test_images_real_registry.py",
    "replay/test_instructions.py",
    "replay/test_readme.py",
    "workflows/test_report_of_a_fork.py",
    "workflows/test_steps.py",
)
"""Files that keep a process busy for minutes: updates one after the other, documented commands, dozens of changed images, little worlds."""
_RUNS = {"sandbox", "verdicts"}
"""Fixtures that run programs of an image, or Prometheus."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that take seconds each run beside the engine's, not in the quick layers: generated stacks, servers, tools.

    The quick layers take a minute on two cores, so that they run before each commit.
    """
    for item in items:
        beside = _is_among(item.path, _BESIDE) or not _RUNS.isdisjoint(getattr(item, "fixturenames", ()))
        marked = item.get_closest_marker("engine") or item.get_closest_marker("acceptance")
        if is_hypothesis_test(getattr(item, "obj", None)) or (beside and not marked):
            item.add_marker(pytest.mark.thorough)
        if _is_among(item.path, _LONG):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: not _is_among(item.path, _LONGEST))


@functools.cache
def _is_among(path: Path, names: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(Path(__file__).parent / name) for name in names)
