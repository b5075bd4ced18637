"""Storage classes of the volumes that a stack makes."""

from __future__ import annotations

from typing import Any

import pytest

from model.rules.cluster_storage import cluster_storage, volumes
from model.settings import Storage
from tests.model.files import settings

NAMED = {"size": "1Gi", "storageClass": "disks"}
VOLUMES = ("mailboxes", "imapState", "queue", "database", "dumps", "redis", "files", "metrics", "logs", "filters")  # fmt: skip
ALL = {f"storage/{name}": NAMED for name in VOLUMES}
DATABASE = {"host": "db.example.net", "cidr": "198.51.100.32/32"}


def found(changes: dict[str, Any], classes: dict[str, bool] | None) -> list[tuple[str, str]]:
    return [(each.path, each.problem) for each in cluster_storage(settings("cluster", changes), classes)]


def test_every_volume_of_the_settings_is_thought_of() -> None:
    alias = {field.alias for field in Storage.model_fields.values()} - {"protect", "accessMode"}
    assert alias == {*VOLUMES}
    assert len(volumes(settings("cluster"))) == len(VOLUMES)


def test_where_every_volume_names_a_class_nobody_misses_a_default() -> None:
    assert found(ALL, {"disks": False}) == []


@pytest.mark.parametrize("left", VOLUMES)
def test_a_volume_that_names_none_needs_a_default(left: str) -> None:
    changes = ALL | {f"storage/{left}": {"size": "1Gi"}}
    ((path, problem),) = found(changes, {"disks": False})
    assert (path, problem.startswith(f"leaves {left} to the default")) == ("kolab:storage", True)
    assert found(changes, {"disks": False, "other": True}) == []


@pytest.mark.parametrize(
    ("changes", "volume"),
    [
        ({"external/database": DATABASE}, "database"),
        ({"external/redis": DATABASE}, "redis"),
        ({"features/files": False}, "files"),
        ({"monitoring/enabled": False, "storage/logs": {"size": "1Gi"}}, "metrics"),
    ],
)
def test_a_volume_that_the_stack_does_not_make_needs_no_class(changes: dict[str, Any], volume: str) -> None:
    unnamed = {**ALL, f"storage/{volume}": {"size": "1Gi"}, **changes}
    assert found(unnamed, {"disks": False}) == []
    unknown = {**ALL, f"storage/{volume}": {"size": "1Gi", "storageClass": "gone"}, **changes}
    assert "gone" not in str(found(unknown, {"disks": True}))


def test_a_class_that_is_not_there_is_named_with_those_that_are() -> None:
    one = {**{each: {"size": "1Gi"} for each in ALL}, "storage/queue": NAMED}
    ((path, problem),) = found(one, {"fast": True})
    assert (path, problem) == (
        "kolab:storage.queue.storageClass",
        "is disks, which this cluster does not have",
    )


def test_what_could_not_be_read_is_not_judged() -> None:
    assert found(ALL, None) == []
