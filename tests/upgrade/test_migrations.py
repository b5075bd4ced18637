"""A key of an earlier version is read, or there is a sentence that says what to write instead."""

from __future__ import annotations

import json
import tomllib

import pytest

from model.migrations import MIGRATIONS, migration_of
from tests.engine.program import CHECKOUT
from tests.model.files import raw, refused
from tests.upgrade.releases import Release, keys_of, releases

_NOW = keys_of(json.loads((CHECKOUT / "stacks" / "schema.json").read_text()))
_VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
def test_every_key_of_an_earlier_version_is_read_or_has_its_sentence(release: Release) -> None:
    lost = {key for key in keys_of(release.schema) - _NOW if migration_of(key) is None}
    assert not lost, f"write in model/migrations.py what to write instead of: {', '.join(sorted(lost))}"


@pytest.mark.parametrize("key", MIGRATIONS)
def test_a_migration_is_about_a_key_that_was_there_once_and_is_gone(key: str) -> None:
    assert key not in _NOW
    assert any(key in keys_of(release.schema) for release in releases())


def test_a_moved_key_is_refused_with_what_to_write_now() -> None:
    (found,) = [
        f for f in refused(raw("cluster", {"mail/signatureLifetimeDays": 10})) if f.severity == "error"
    ]
    assert (found.rule, found.path) == ("key-moved", "kolab:mail.signatureLifetimeDays")
    assert found.fix.startswith("remove it: signatures last ten days")


def test_there_is_a_recorded_version() -> None:
    assert releases(), "make record-release"
