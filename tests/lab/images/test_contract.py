"""The contract by itself, and our rendered pods held against it. Needs no root and starts nothing."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

import pytest

from model import images as references
from model.settings import ImagesRegistry
from tests.lab.images import lint, pods
from tests.lab.images.contract import B_TAG, CAPABILITIES, KINDS, LAB_TAG, Need, images
from tests.support.stacks import stack

STACKS = ["single-node", "cluster", "external", "full", "moving"]


@cache
def workloads(name: str) -> dict[str, pods.Workload]:
    return pods.workloads(pods.rendered(stack(name), pods.some_secrets()))


_BY_HAND = (
    "/load.sh",
    "/before-migration.sh",
    "/restore-dump.sh",
    "/drill-databases.sh",
    "/probe.py",
    "/reader.py",
)
"""Clients in the image of a server, and a server that is made by hand: what the image wants of its own start does not
concern them."""
_KEEPING_NOTHING = ("rehearse-", "drill-")
"""Pods that look at an image or at a backup, and whose data are to go with them."""


def all_problems(found: dict[str, pods.Workload]) -> list[str]:
    return [
        problem
        for workload in found.values()
        for container in workload.containers()
        if not any(str(word).endswith(_BY_HAND) for word in container.get("command", ()))
        for problem in lint.problems(workload, container)
        if not (workload.name.startswith(_KEEPING_NOTHING) and ": no volume at " in problem)
    ]


def needs() -> list[tuple[str, Need]]:
    return [
        (f"{name}: {need.kind} {need.subject}", need)
        for name, image in images().items()
        for need in image.needs
    ]


def test_every_image_that_a_stack_can_name_has_a_contract() -> None:
    assert {name for name, image in images().items() if not image.base} == {
        *references.KOLAB,
        *references.OTHERS,
    }


@pytest.mark.parametrize("tag", [LAB_TAG, B_TAG])
def test_every_image_of_kolab_has_one_recipe_in_each_generation(tag: str) -> None:
    for name in references.KOLAB:
        wanted = references.reference(ImagesRegistry(tag=tag), name)
        (found,) = (image for image in images().values() if wanted in image.references)
        assert (found.base or found.name) == name


@pytest.mark.parametrize("need", [need for _, need in needs()], ids=[name for name, _ in needs()])
def test_every_need_has_a_sentence_a_source_and_a_rule_that_contract_check_can_read(need: Need) -> None:
    assert need.kind in KINDS
    assert len(need.sentence) > 20
    assert need.source
    assert len(need.rule().split("\t")) == 5
    assert "\n" not in need.rule()
    if need.kind == "capability":
        assert need.subject in CAPABILITIES
    if need.wrong is not None and need.pattern is not None:
        assert not re.search(need.pattern, need.wrong)


@pytest.mark.parametrize("name", images())
def test_a_sample_meets_the_patterns_of_its_own_contract(name: str) -> None:
    image = images()[name]
    env = {**image.env, **image.sample.env}
    wanted = [need for need in image.needs if need.kind == "env" and need.when is None]
    assert [
        need.subject for need in wanted if not re.search(need.pattern or ".", env[need.subject], re.MULTILINE)
    ] == []


@pytest.mark.parametrize("name", STACKS)
def test_the_pods_of_a_stack_keep_every_contract(name: str) -> None:
    assert all_problems(workloads(name)) == []


def _without_variable(spec: dict[str, Any], name: str) -> None:
    spec["env"] = [variable for variable in spec["env"] if variable["name"] != name]


@pytest.mark.parametrize(
    ("workload", "sentence"),
    [
        ("postfix", "LMTP_DESTINATION: env required"),
        ("mariadb", "no volume at /var/lib/mysql/data"),
        ("imap", "capability KILL is missing"),
        ("roundcube-migrate", "DB_ROOT_PASSWORD is missing"),
    ],
)
def test_what_breaks_a_contract_is_named(workload: str, sentence: str) -> None:
    # All of its images are Kolab's.
    found = copy.deepcopy(workloads("moving"))
    spec = found[workload].containers()[0]
    assert isinstance(spec, dict)
    if workload == "postfix":
        _without_variable(spec, "LMTP_DESTINATION")
    elif workload == "mariadb":
        (data,) = [mount for mount in spec["volumeMounts"] if mount["mountPath"] == "/var/lib/mysql/data"]
        data["mountPath"] = "/var/lib/mysql"
    elif workload == "roundcube-migrate":
        spec["envFrom"] = []
    else:
        spec["securityContext"]["capabilities"]["add"].remove("KILL")
    assert [problem for problem in all_problems(found) if sentence in problem]
