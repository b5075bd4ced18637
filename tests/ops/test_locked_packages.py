"""What is installed is what was locked: every package by its version and hashes, from no host that a file names."""

from __future__ import annotations

import re

import pytest

from tests.engine.program import CHECKOUT

_FILES = ("requirements", "requirements-dev")


def _wanted(name: str) -> set[str]:
    lines = (CHECKOUT / f"{name}.in").read_text().splitlines()
    return {_plain(line) for line in lines if line and not line.startswith(("#", "-r"))}


def _locked(name: str) -> dict[str, list[str]]:
    """Package -> its hashes."""
    found: dict[str, list[str]] = {}
    for entry in re.split(r"\n(?=\S)", (CHECKOUT / f"{name}.txt").read_text().strip()):
        found[_plain(entry)] = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    return found


def _plain(line: str) -> str:
    return re.split(r"[=<>~! \[;]", line)[0].lower().replace("_", "-")


@pytest.mark.parametrize("name", _FILES)
def test_every_package_that_is_wanted_is_locked_by_hashes(name: str) -> None:
    locked = _locked(name)
    assert _wanted(name) <= locked.keys()
    assert [package for package, hashes in locked.items() if not hashes] == []


@pytest.mark.parametrize("name", _FILES)
def test_no_lock_names_a_host(name: str) -> None:
    text = (CHECKOUT / f"{name}.txt").read_text()
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links|--trusted-host", text)


def test_what_runs_is_what_is_tested() -> None:
    run, tested = (
        set(re.findall(r"^(\S+==\S+)", (CHECKOUT / f"{n}.txt").read_text(), re.MULTILINE)) for n in _FILES
    )
    assert run <= tested
