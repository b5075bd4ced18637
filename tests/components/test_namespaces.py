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


def test_the_node_is_read_from_a_namespace_of_its_own() -> None:
    assert levels("cluster", "kolab-logs")["enforce"] == "privileged"
    assert deployment("bare").names("Namespace") == {"kolab"}


def test_the_level_is_that_of_one_version_and_not_of_the_next_upgrade() -> None:
    assert levels("cluster", "kolab")["enforce-version"].startswith("v1.")
