"""The stack `local` is made on the spot, and a killed run does not block the next one."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ops import local


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the template alone."""
    (tmp_path / "stacks" / "templates").mkdir(parents=True)
    (tmp_path / "stacks" / "templates" / "local.yaml").write_text("config: {kolab:mode: single-node}\n")
    return tmp_path


def stack_file(root: Path) -> Path:
    """The stack file that is made."""
    return root / "stacks" / "Pulumi.local.yaml"


def mode(path: Path) -> int:
    """Permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def lock(root: Path, content: str) -> Path:
    """A lock as the engine leaves it."""
    local.prepare(root)
    path = root / ".local" / ".pulumi" / "locks" / "organization" / "kolab" / "local" / "x.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def ended_process() -> int:
    """The id of a process that ran and ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_stack_file_is_a_copy_of_the_template(root: Path) -> None:
    local.prepare(root)
    assert stack_file(root).read_text() == (root / "stacks" / "templates" / "local.yaml").read_text()


def test_what_is_made_is_for_the_owners_eyes(root: Path) -> None:
    local.prepare(root)
    assert mode(root / ".local") == 0o700
    assert mode(root / ".local" / "passphrase") == 0o600
    assert mode(stack_file(root)) == 0o600


def test_a_second_preparation_keeps_everything(root: Path) -> None:
    local.prepare(root)
    stack_file(root).write_text("mine")
    before = (root / ".local" / "passphrase").read_text()
    local.prepare(root)
    assert (stack_file(root).read_text(), (root / ".local" / "passphrase").read_text()) == ("mine", before)


def test_every_checkout_has_a_passphrase_of_its_own(root: Path) -> None:
    local.prepare(root)
    before = (root / ".local" / "passphrase").read_text()
    (root / ".local" / "passphrase").unlink()
    local.prepare(root)
    assert len(before) >= 32
    assert (root / ".local" / "passphrase").read_text() != before


def test_what_a_lost_passphrase_encrypted_goes_with_it(root: Path) -> None:
    local.prepare(root)
    stack_file(root).write_text("encrypted with the old one")
    state = root / ".local" / ".pulumi" / "stacks" / "local.json"
    state.parent.mkdir(parents=True)
    state.write_text("encrypted with the old one")
    (root / ".local" / "passphrase").unlink()
    local.prepare(root)
    assert "old one" not in stack_file(root).read_text()
    assert not state.exists()


def test_a_lock_of_a_dead_engine_is_removed(root: Path) -> None:
    path = lock(root, json.dumps({"pid": ended_process(), "hostname": socket.gethostname()}))
    local.prepare(root)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"pid": os.getpid(), "hostname": socket.gethostname()}),
        json.dumps({"pid": 2**22 + 1, "hostname": "another-machine"}),
        json.dumps({"hostname": socket.gethostname()}),
        json.dumps({"pid": "x", "hostname": socket.gethostname()}),
        "[]",
        "{",
        "",
    ],
    ids=["a running engine", "another machine", "no id", "no number", "a list", "half a file", "empty"],
)
def test_any_other_lock_is_left_to_the_engine(root: Path, content: str) -> None:
    path = lock(root, content)
    local.prepare(root)
    assert path.exists()


def test_the_state_is_dropped_when_its_manifests_are_gone(root: Path) -> None:
    state = root / ".local" / ".pulumi" / "stacks"
    state.mkdir(parents=True)
    assert local.forget_if_unrendered(root)
    assert not state.exists()


def test_the_state_stays_beside_its_manifests(root: Path) -> None:
    state = root / ".local" / ".pulumi" / "stacks"
    state.mkdir(parents=True)
    (root / "rendered" / "local" / "manifests").mkdir(parents=True)
    assert not local.forget_if_unrendered(root)
    assert state.exists()


def test_a_first_run_has_nothing_to_forget(root: Path) -> None:
    assert not local.forget_if_unrendered(root)
