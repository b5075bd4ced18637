"""What lies between two sets of objects, and which of it stops pods or loses data."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from model.review import Change
from model.review.change import changes
from model.review.review import review
from tests.support.stacks import stack


def manifest(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """A Kubernetes object of Cyrus'."""
    labels = {"app.kubernetes.io/name": "imap"}
    return {"kind": kind, "metadata": {"name": name, "namespace": "kolab", "labels": labels}, "spec": spec}


def stateful(image: str = "imap:1", **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "imap", "image": image}]}}
    return manifest("StatefulSet", "imap", serviceName="imap", template=template, **spec)


def one(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change:
    """The only change between two objects."""
    (found,) = changes([before] if before else [], [after] if after else [])
    return found


def test_equal_objects_are_no_change() -> None:
    assert changes([stateful()], [copy.deepcopy(stateful())]) == []


def test_an_object_that_appears_is_created_and_stops_nothing() -> None:
    found = one(None, stateful())
    assert (found.action, found.rolls, found.loses_data) == ("create", False, False)


def test_another_image_replaces_pods() -> None:
    found = one(stateful(), stateful("imap:2"))
    assert (found.action, found.rolls) == ("update", True)


def test_more_replicas_replace_no_pod() -> None:
    assert not one(stateful(replicas=1), stateful(replicas=2)).rolls


def test_what_the_api_never_edits_is_replaced() -> None:
    assert (
        one(stateful(), stateful() | {"spec": stateful()["spec"] | {"serviceName": "other"}}).action
        == "replace"
    )


@pytest.mark.parametrize("part", ["storageClassName", "accessModes"])
def test_a_volume_of_another_kind_loses_its_data(part: str) -> None:
    found = one(
        manifest("PersistentVolumeClaim", "spool"),
        manifest("PersistentVolumeClaim", "spool", **{part: "new"}),
    )
    assert (found.action, found.loses_data) == ("replace", True)


def test_a_volume_that_grows_keeps_its_data() -> None:
    small, large = ({"requests": {"storage": size}} for size in ("5Gi", "9Gi"))
    claims = [manifest("PersistentVolumeClaim", "spool", resources=size) for size in (small, large)]
    assert not one(*claims).loses_data


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret", "Job"])
def test_what_is_named_by_its_content_is_one_object_under_two_names(kind: str) -> None:
    found = one(manifest(kind, "imap-config-0123456789"), manifest(kind, "imap-config-abcdefabcd"))
    assert (found.action, found.name) == ("replace", "imap-config")


def test_a_name_that_only_looks_like_a_hash_is_kept_for_what_has_none() -> None:
    assert one(None, manifest("Service", "imap-0123456789")).name == "imap-0123456789"


def test_a_namespace_that_goes_takes_everything_along() -> None:
    assert one({"kind": "Namespace", "metadata": {"name": "kolab"}}, None).loses_data


def job(daemon: str, name: str, image: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": daemon, "image": image}]}}
    labels = {"app.kubernetes.io/name": daemon}
    return {"kind": "Job", "metadata": {"name": name, "labels": labels}, "spec": {"template": template}}


def test_a_report_names_the_dump_of_before_a_migration_and_the_way_back_to_it() -> None:
    before = [
        job("seed", "seed-0000000000", "w:1"),
        job("before-migration", "before-migration-0000000000", "m"),
    ]
    after = [
        job("seed", "seed-1111111111", "w:2"),
        job("before-migration", "before-migration-1111111111", "m"),
    ]
    settings = stack("single-node")
    found = {
        each.title: [item.text for item in each.items]
        for each in review("x", settings, settings, changes(before, after)).sections
    }
    assert "the databases are dumped first" in found["Migrations"][0]
    assert "./kolab backup restore database --before-migration" in found["Going back"][0]
    undumped = review("x", settings, settings, changes(before, [after[0], before[1]]))
    found = {each.title: [item.text for item in each.items] for each in undumped.sections}
    assert not [text for text in found["Migrations"] if "dumped" in text]
    assert not [text for text in found["Going back"] if "--before-migration" in text]
