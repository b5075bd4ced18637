"""What one process of a run has made, the others read."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from tests.support import shared
from tests.support.deploy import deploy
from tests.support.stacks import stack


@pytest.fixture
def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that begins in the same run, with nothing in its memory."""
    monkeypatch.setattr(shared, "_made", {})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, another_process: None) -> Path:
    """A run of the tests that has made nothing yet."""
    monkeypatch.setenv(shared.FOLDER, str(tmp_path))
    return tmp_path


def never() -> NoReturn:
    raise AssertionError("made once more")


def test_what_was_made_is_not_made_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared.once("numbers", lambda: [1, 2]) == [1, 2]
    assert shared.once("numbers", never) == [1, 2]
    monkeypatch.setattr(shared, "_made", {})
    assert shared.once("numbers", never) == [1, 2]


def test_what_fails_is_tried_again(run: Path) -> None:
    with pytest.raises(AssertionError):
        shared.once("numbers", never)
    assert shared.once("numbers", lambda: [1, 2]) == [1, 2]
    assert [file.name for file in run.iterdir()] == ["numbers"]


def test_a_deployment_of_another_process_answers_as_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = deploy(stack("local"))
    monkeypatch.setattr(shared, "_made", {})
    read = deploy(stack("local"))
    assert read is not own
    assert read.resources == own.resources
    assert read.sentinels == own.sentinels
    # An object is found again by what it is, not by what it looks like.
    assert read.registered(read.workload("imap").object).object is read.workload("imap").object
