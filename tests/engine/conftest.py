"""Stacks that are deployed once, and copied for each test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.keys import pairs
from model.secrets import secrets
from model.settings import Settings
from tests.engine.program import CHECKOUT, Program, Run, put
from tests.engine.sentinels import sentinel

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
    """The stack of `make up`."""
    config = _values(CHECKOUT / "stacks" / "templates" / "local.yaml")
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
    config = _values(CHECKOUT / "stacks" / "Pulumi.cluster.yaml")
    config["kubernetes"]["render"] = "rendered/cluster/manifests"
    # No plugin of Cloudflare's here, and no zone either.
    config["dns"]["provider"] = "zonefile"
    return _deploy(tmp_path_factory.mktemp("cluster") / "program", "cluster", config)


@pytest.fixture
def program(local: Deployed, tmp_path: Path) -> Program:
    """A copy of the stack of `make up`, for one test to change."""
    return local.program.copy(tmp_path / "program")


def _values(path: Path) -> dict[str, Any]:
    config = yaml.safe_load(path.read_text())["config"]
    return {key.removeprefix("kolab:"): value for key, value in config.items()}


def _deploy(root: Path, stack: str, config: dict[str, Any]) -> Deployed:
    for key in config["mail"]["dkim"]["selectors"].values():
        key.setdefault("publicKey", "AAAA")
    settings = Settings.model_validate(config)
    values = {secret.key: sentinel(secret) for secret in secrets(settings)}
    for pair in pairs(settings):
        put(config, pair.path.split("."), pair.derive(values[pair.secret]))
    program = Program.make(root, stack, config, values)
    first = program.up()
    assert first.code == 0, first.output
    return Deployed(program, values, first)
