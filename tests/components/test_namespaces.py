"""Namespaces: each with the Pod Security level that its pods need, and no more."""

from __future__ import annotations

import pytest

from tests.support.stacks import deployment


def levels(name: str, namespace: str) -> dict[str, str]:
    labels = deployment(name).get("Namespace", namespace)["metadata"]["labels"]
    prefix = "pod-security.kubernetes.io/"
    return {key.removeprefix(prefix): value for key, value in labels.items() if key.startswith(prefix)}


@pytest.mark.parametrize(
    ("name", "level"), [("single-node", "baseline"), ("cluster", "baseline"), ("host-port", "privileged")]
)
def test_only_ports_on_the_node_need_the_privileged_level(name: str, level: str) -> None:
    assert levels(name, "kolab")["enforce"] == level


@pytest.mark.parametrize("name", ["single-node", "cluster", "host-port"])
def test_what_goes_beyond_the_baseline_is_told_and_written_down_also_where_it_is_let_in(name: str) -> None:
    found = levels(name, "kolab")
    assert (found["warn"], found["audit"]) == ("baseline", "baseline")


def test_the_node_is_read_from_a_namespace_of_its_own() -> None:
    assert levels("cluster", "kolab-logs")["enforce"] == "privileged"
    assert deployment("bare").names("Namespace") == {"kolab"}


def test_the_level_is_that_of_one_version_and_not_of_the_next_upgrade() -> None:
    assert levels("cluster", "kolab")["enforce-version"].startswith("v1.")
