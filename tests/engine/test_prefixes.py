"""Wherever an `up` breaks off, no pod stands before what it needs, and the next `up` finishes the work."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.render import file_name
from tests.engine.conftest import Deployed
from tests.engine.program import Program, State
from tests.engine.references import Reference, needed_by

_PLACES = 3
"""How many places of an `up` are tried. KOLAB_ALL_PREFIXES=1 tries them all, which takes an hour."""


@pytest.mark.parametrize(
    "kind", ["ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "key of a certificate"]
)
def test_whatever_needs_an_object_depends_on_it(local: Deployed, cluster: Deployed, kind: str) -> None:
    needs = [need for deployed in (local, cluster) for need in _needs(deployed, kind)]
    assert needs
    assert {(who, what) for who, what, before in needs if what not in before} == set()


def test_an_up_that_breaks_off_anywhere_leaves_no_pod_without_what_it_needs_and_the_next_one_converges(
    local: Deployed, tmp_path: Path
) -> None:
    program = _undeployed(local, tmp_path / "program")
    complete = {_identity(item) for item in local.program.objects()}
    for path in _files_in_order(local):
        if (program.manifests / path).exists():
            continue
        # Nothing can be written where a folder lies.
        (program.manifests / path).mkdir(parents=True)
        broken = program.up("--parallel", "1")
        assert broken.code != 0
        (program.manifests / path).rmdir()
        assert _dangling(list(program.objects()), complete) == {}, f"when {path} failed"
    whole = program.up()
    assert whole.code == 0, whole.output
    assert program.files() == local.program.files()
    assert _shape(program) == _shape(local.program)


def _needs(deployed: Deployed, kind: str) -> Iterator[tuple[str, str, set[str]]]:
    """URNs of what needs something of a kind, of what it needs, and all that the engine makes before the former."""
    state = {resource["urn"]: resource for resource in deployed.program.state()}
    objects = {urn: resource["outputs"] for urn, resource in state.items() if _is_object(resource)}
    places = {_identity(item): urn for urn, item in objects.items()}
    for urn, item in objects.items():
        for reference in needed_by(item):
            needed = places.get((*reference, _space(item)))
            if needed and _kind(objects[needed]) == kind:
                yield urn, needed, _reaches(state[urn], state)


def _kind(item: dict[str, Any]) -> str:
    kind = str(item["kind"])
    # cert-manager goes on writing into this one alone.
    return "key of a certificate" if kind == "Secret" and not item.get("immutable") else kind


def _undeployed(deployed: Deployed, root: Path) -> Program:
    program = deployed.program.copy(root)
    shutil.rmtree(program.root / "rendered")
    shutil.rmtree(program.root / ".local" / ".pulumi" / "stacks")
    program.must("stack", "init", program.stack)
    return program


def _files_in_order(deployed: Deployed) -> list[str]:
    """Files of some resources, as they were created, the first and the last among them."""
    objects = {
        (resource["type"], resource["urn"].rpartition("::")[2]): file_name(resource["outputs"])
        for resource in deployed.program.state()
        if _is_object(resource)
    }
    order = [objects[op.type, op.name] for op in deployed.first.operations if (op.type, op.name) in objects]
    if os.environ.get("KOLAB_ALL_PREFIXES"):
        return order
    return [order[(len(order) - 1) * place // (_PLACES - 1)] for place in range(_PLACES)]


def _dangling(
    objects: list[dict[str, Any]], complete: set[tuple[str, str, str]]
) -> dict[str, set[Reference]]:
    """Pods -> what they need of ours that is not there yet."""
    there = {_identity(item) for item in objects}
    found = {}
    for item in objects:
        space = _space(item)
        missing = {
            reference
            for reference in needed_by(item)
            if (*reference, space) in complete and (*reference, space) not in there
        }
        if missing:
            found[item["metadata"]["name"]] = missing
    return found


def _identity(item: dict[str, Any]) -> tuple[str, str, str]:
    return item["kind"], item["metadata"]["name"], _space(item)


def _space(item: dict[str, Any]) -> str:
    return str(item["metadata"].get("namespace", ""))


def _is_object(resource: State) -> bool:
    return bool(resource["type"].startswith("kubernetes:"))


def _reaches(resource: State, state: dict[str, State]) -> set[str]:
    """Everything that the engine makes before this resource."""
    found: set[str] = set()
    waiting = list(_before(resource))
    while waiting:
        urn = waiting.pop()
        if urn not in found and urn in state:
            found.add(urn)
            waiting += _before(state[urn])
    return found


def _before(resource: State) -> Iterator[str]:
    yield from resource.get("dependencies") or ()
    if resource.get("parent"):
        yield resource["parent"]


def _shape(program: Program) -> set[tuple[Any, ...]]:
    """What a state says about resources, apart from their content, which the files show."""
    return {
        (
            resource["urn"],
            resource.get("parent"),
            resource.get("protect", False),
            tuple(sorted(resource.get("dependencies") or ())),
        )
        for resource in program.state()
    }
