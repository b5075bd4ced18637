"""What rules about a cluster believe that a stack makes, compared with what it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from model.made import MADE, made
from model.rules.cluster_storage import volumes
from model.settings import Settings, Storage
from tests.support.deploy import Deployment, deploy
from tests.support.stacks import changed, stack


def classes(value: Any) -> Iterator[str]:
    """Every storage class that objects name."""
    if isinstance(value, dict):
        yield from ([value["storageClassName"]] if value.get("storageClassName") else [])
        for each in value.values():
            yield from classes(each)
    elif isinstance(value, list):
        for each in value:
            yield from classes(each)


@pytest.mark.parametrize("name", ["single-node", "moving", "bare"])
def test_a_stack_makes_the_volumes_whose_classes_are_looked_for(name: str) -> None:
    alias = {each: field.alias for each, field in Storage.model_fields.items()}
    of = {each: f"of-{each.replace('_', '-')}" for each in alias}
    storage = {alias[each]: {"size": "2Gi", "storageClass": of[each]} for each in volumes(stack(name))}
    settings = changed(name, {"storage": storage})
    made = {each for manifest in deploy(settings).objects for each in classes(manifest)}
    assert made == {of[each] for each in volumes(settings)}


def plural(kind: str) -> str:
    """A kind as addresses of the API have it."""
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def compare(settings: Settings, objects: Iterable[dict[str, Any]]) -> None:
    """Each kind is expected, in its group, of the stack that makes it, and no other is."""
    groups = {kind: each.group for each in MADE for kind in each.kinds}
    found = {plural(each["kind"]): each["apiVersion"].rpartition("/")[0] for each in objects}
    # Of Deployments Kubernetes makes the one, and of all workloads the other.
    expected = made(settings) - {"replicasets", "pods"}
    assert found == {kind: groups[kind] for kind in expected}


def test_webhooks_are_looked_for_that_see_what_a_stack_makes(name: str, program: Deployment) -> None:
    compare(stack(name), program.objects)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("full", {"network": {"ingress": {"controller": "traefik"}}}),
        ("cluster", {"network": {"cni": "cilium"}}),
    ],
)
def test_so_are_those_of_kinds_that_no_other_stack_here_makes(name: str, changes: dict[str, Any]) -> None:
    settings = changed(name, changes)
    compare(settings, deploy(settings).objects)


def test_a_kind_has_one_group() -> None:
    assert len({kind for each in MADE for kind in each.kinds}) == sum(len(each.kinds) for each in MADE)
