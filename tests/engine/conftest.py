"""Stacks that are deployed once, and copied for each test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.program import Program, Run
from tests.engine.stacks import configured, example

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies here runs the engine."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.engine)


@dataclass(frozen=True)
class Deployed:
    """A stack after its first `up`. Tests that change anything work on a copy of the program."""

    program: Program
    secrets: dict[str, str]
    first: Run


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The stack of `make up`, with a second DKIM key at the end of its life."""
    config = example("templates/local")
    config["mail"]["dkim"] = {
        "selectors": {
            "k202605": {"stage": "revoked", "since": "2026-11-02"},
            "k202611": {"stage": "active", "since": "2026-11-02"},
        }
    }
    return _deploy(tmp_path_factory.mktemp("local") / "program", "local", config)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The example of cluster mode, rendered."""
    config = example("Pulumi.cluster")
    config["kubernetes"]["render"] = "rendered/cluster/manifests"
    # No plugin of Cloudflare's here, and no zone either.
    config["dns"]["provider"] = "zonefile"
    return _deploy(tmp_path_factory.mktemp("cluster") / "program", "cluster", config)


@pytest.fixture
def program(local: Deployed, tmp_path: Path) -> Program:
    """A copy of the stack of `make up`, for one test to change."""
    return local.program.copy(tmp_path / "program")


def _deploy(root: Path, stack: str, config: dict[str, Any]) -> Deployed:
    program, secrets = configured(root, stack, config)
    first = program.up()
    assert first.code == 0, first.output
    return Deployed(program, secrets, first)
