"""The commands of the README, in a clone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ops.stacks import environment
from tests.acceptance.pace import crowding
from tests.engine.conftest import Deployed
from tests.engine.program import CHECKOUT, Program, checkout_environment

_SECONDS_OF_A_SECOND_UP = 30


@dataclass(frozen=True)
class Clone:
    """A clone of what lies in this checkout, after `make up`."""

    root: Path

    def run(self, *command: str, shell: Mapping[str, str] | None = None) -> str:
        """What a command prints that has to succeed. `shell` are variables that its user has set."""
        variables = {**checkout_environment(), **(shell or {})}
        done = subprocess.run(
            command, cwd=self.root, env=variables, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def make_up(self, shell: Mapping[str, str] | None = None) -> str:
        """`make up`, but for the virtual environment: the one of these tests serves."""
        return self.run("make", "--old-file=.venv/ready", "up", shell=shell)

    def rendered(self) -> dict[str, int]:
        """Every rendered manifest, and when it was written."""
        found = (self.root / "rendered" / "local" / "manifests").rglob("*.yaml")
        return {path.name: path.stat().st_mtime_ns for path in found}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    root = tmp_path_factory.mktemp("clone") / "checkout"
    listed = _git(CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, root / name)
    _git(root, "init", "--quiet")
    _git(root, "add", "--all")
    _git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "clone")
    (root / ".venv").symlink_to(sys.prefix)
    made = Clone(root)
    made.make_up()
    return made


def test_make_up_writes_every_manifest_and_leaves_git_status_clean(clone: Clone) -> None:
    assert len(clone.rendered()) > 100
    assert _git(clone.root, "status", "--porcelain") == ""


def test_what_make_up_renders_is_readable_by_its_owner_alone(clone: Clone) -> None:
    secrets = (clone.root / "rendered" / "local" / "manifests").rglob("v1-secret-*.yaml")
    assert {path.stat().st_mode & 0o077 for path in secrets} == {0}


def test_a_second_make_up_writes_nothing_and_is_quick(clone: Clone) -> None:
    before, started = clone.rendered(), time.monotonic()
    with crowding() as crowd:
        printed = clone.make_up()
    seconds = time.monotonic() - started
    assert clone.rendered() == before
    assert "unchanged" in printed
    assert seconds < _SECONDS_OF_A_SECOND_UP * crowd.factor


def test_a_plain_pulumi_preview_after_make_up_finds_nothing_to_do(clone: Clone) -> None:
    settings = dict(environment("local", clone.root).items() - os.environ.items())
    preview = ("pulumi", "preview", "--stack", "local", "--expect-no-changes", "--non-interactive")
    clone.run("python3", "-m", "toolchain", "run", "--", *preview, shell=settings)


def test_make_up_of_local_does_not_take_the_passphrase_of_the_shell(clone: Clone) -> None:
    assert "unchanged" in clone.make_up({"PULUMI_CONFIG_PASSPHRASE": "of a real stack"})


def test_make_up_writes_everything_again_when_the_rendered_files_are_gone(clone: Clone) -> None:
    before = clone.rendered()
    shutil.rmtree(clone.root / "rendered" / "local")
    clone.make_up()
    assert set(clone.rendered()) == set(before)


@pytest.fixture
def lacking(local: Deployed, tmp_path: Path) -> Program:
    """A stack that `local` ones have nothing to do with, and that lacks two secrets."""
    config = {key.removeprefix("kolab:"): value for key, value in local.program.config().items()}
    kept = {key: value for key, value in local.secrets.items() if key not in ("adminPassword", "turnSecret")}
    plain = {key: value for key, value in config.items() if key not in local.secrets}
    return Program.make(tmp_path / "program", "fresh", plain, kept)


def test_ops_secrets_makes_what_is_missing_encrypted_and_a_second_run_writes_nothing(
    lacking: Program,
) -> None:
    before = yaml.safe_load(lacking.stack_file.read_text())
    said = _ops_secrets(lacking)
    assert "adminPassword" in said
    assert "turnSecret" in said
    after = yaml.safe_load(lacking.stack_file.read_text())
    new = {key: after["config"].pop(key) for key in ("kolab:adminPassword", "kolab:turnSecret")}
    assert after == before
    assert all(set(value) == {"secure"} for value in new.values())
    written = lacking.stack_file.read_bytes()
    _ops_secrets(lacking)
    assert lacking.stack_file.read_bytes() == written
    shown = json.loads(lacking.must("config", "--json", "--stack", "fresh"))
    assert all(shown[key]["secret"] and "value" not in shown[key] for key in new)


def _ops_secrets(program: Program) -> str:
    return program.ops("secrets", "--stack", "fresh")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout
