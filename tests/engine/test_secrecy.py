"""No secret leaves the Secret objects that are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

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


def test_no_file_but_the_secret_objects_holds_a_secret_in_plain_text(local: Deployed) -> None:
    searched = [path for path in _files(local.program.root) if not _is_secret_object(path)]
    assert {"stacks", "history", "backups", "manifests"} <= {part for path in searched for part in path.parts}
    leaks = {path: found for path in searched if (found := found_in(path.read_bytes(), local.secrets))}
    assert leaks == {}


def test_up_prints_and_logs_no_secret(local: Deployed) -> None:
    assert found_in(local.first.output.encode(), local.secrets) == set()
    assert found_in(json.dumps(local.first.events).encode(), local.secrets) == set()


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and ".venv" not in path.parts)


def _is_secret_object(path: Path) -> bool:
    return (
        "rendered" in path.parts
        and path.suffix == ".yaml"
        and yaml.safe_load(path.read_text())["kind"] == "Secret"
    )
