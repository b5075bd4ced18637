"""No secret leaves the Secret objects that are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from tests.engine.conftest import Deployed
from tests.engine.sentinels import found_in

_IN_NO_OBJECT = {"contentSalt", "monitoringPassword"}
"""The salt serves the program itself; of the password, nginx gets a hash."""


def test_the_search_for_secrets_finds_them_where_they_belong(local: Deployed) -> None:
    rendered = b"".join(
        json.dumps(item).encode() for item in local.program.objects() if item["kind"] == "Secret"
    )
    assert found_in(rendered, local.secrets) == set(local.secrets) - _IN_NO_OBJECT


@pytest.mark.parametrize("kind", ["stacks", "history", "backups", "locks"])
def test_the_backend_holds_no_secret_in_plain_text(local: Deployed, kind: str) -> None:
    assert _leaks(local, (local.program.root / ".local" / ".pulumi" / kind).rglob("*")) == {}


def test_nothing_else_in_the_checkout_holds_a_secret_in_plain_text(local: Deployed) -> None:
    assert _leaks(local, local.program.root.rglob("*")) == {}


def test_up_prints_and_logs_no_secret(local: Deployed) -> None:
    assert found_in(local.first.output.encode(), local.secrets) == set()
    assert found_in(json.dumps(local.first.events).encode(), local.secrets) == set()


def _leaks(deployed: Deployed, paths: Iterable[Path]) -> dict[str, set[str]]:
    found = {}
    for path in paths:
        if path.is_file() and not _is_secret_object(path) and ".venv" not in path.parts:
            leaked = found_in(path.read_bytes(), deployed.secrets)
            if leaked:
                found[path.name] = leaked
    return found


def _is_secret_object(path: Path) -> bool:
    return (
        "rendered" in path.parts
        and path.suffix == ".yaml"
        and yaml.safe_load(path.read_text())["kind"] == "Secret"
    )
