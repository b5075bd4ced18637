"""A changed ConfigMap or Secret is a new object: its readers move to it in place, and the old one goes last."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.engine.conftest import Deployed
from tests.engine.program import Run, at_once
from tests.engine.sentinels import found_in
from tests.engine.settings_table import Changes

_READERS = {
    "webapp-credentials": ("webapp-pods", "webapp-horizon-pods", "webapp-scheduler-schedule"),
    "postfix-entry": ("postfix-pods",),
    "proxy-config": ("proxy-pods",),
}
_SETTINGS: Changes = {
    "mail.messageSizeLimit": "20Mi",
    "storage.mailboxes": {"size": "60Gi"},
    "images.tag": "2026",
    "resources.mariadb": {"cpu": "2", "memory": "3Gi"},
    "monitoring.retention": "30d",
    "network.loadBalancer": "hostPort",
}
_NEW_PASSWORD = "Rotated0123456789abcdefghijklmno"


@dataclass(frozen=True)
class Changed:
    """A preview and an up with another password and other settings."""

    preview: Run
    up: Run


@pytest.fixture(scope="module")
def changed(local: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Changed:
    program = local.program.copy(tmp_path_factory.mktemp("changed") / "program")
    program.must("config", "set", "--secret", "kolab:noreplyPassword", _NEW_PASSWORD, "--stack", "local")
    program.change(_SETTINGS | {"rotations.noreplyPassword": 1})
    same = program.copy(tmp_path_factory.mktemp("previewed") / "program")
    done = at_once({"preview": lambda: same.preview("--diff"), "up": program.up})
    return Changed(done["preview"], done["up"])


@pytest.mark.parametrize("source", _READERS)
def test_changed_content_is_made_first_then_read_in_place_and_the_old_one_goes_last(
    changed: Changed, source: str
) -> None:
    assert changed.up.code == 0, changed.up.output
    order = [(operation.action, operation.name) for operation in changed.up.operations]
    made, gone = order.index(("create-replacement", source)), order.index(("delete-replaced", source))
    for reader in _READERS[source]:
        assert changed.up.done(reader) == ["update"]
        assert made < order.index(("update", reader)) < gone


def test_nothing_but_jobs_is_deleted_before_its_replacement_is_there(changed: Changed) -> None:
    order = [(operation.action, operation.name) for operation in changed.up.operations]
    early = {
        operation.kind
        for operation in changed.up.operations
        if operation.action == "delete-replaced"
        and order.index(("delete-replaced", operation.name))
        < order.index(("create-replacement", operation.name))
    }
    assert early <= {"Job"}


def test_volumes_namespaces_and_stateful_sets_are_updated_in_place(changed: Changed) -> None:
    actions = {
        (operation.kind, operation.action)
        for operation in changed.up.operations
        if operation.kind in ("Namespace", "PersistentVolumeClaim", "StatefulSet")
    }
    assert actions == {(kind, "update") for kind in ("Namespace", "PersistentVolumeClaim", "StatefulSet")}


def test_neither_the_old_nor_the_new_password_is_shown(changed: Changed, local: Deployed) -> None:
    passwords = {"old": local.secrets["noreplyPassword"], "new": _NEW_PASSWORD}
    for run in (changed.preview, changed.up):
        assert found_in(run.output.encode() + json.dumps(run.events).encode(), passwords) == set()
