"""Pods: safe unless a container says why it cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from components.containers import Privileges
from tests.support.stacks import changed, deploy, deployment, raw


@pytest.mark.parametrize(
    "step",
    [{"uid": 0}, {"capabilities": ("CHOWN",)}, {"escalation": True}],
    ids=lambda step: next(iter(step)),
)
def test_a_step_away_from_restricted_needs_its_reason(step: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        Privileges(**step)
    Privileges(**step, reason="because")


def test_the_default_may_do_nothing() -> None:
    context = Privileges().context()
    assert context.run_as_non_root is True
    assert context.allow_privilege_escalation is False
    assert context.capabilities.drop == ["ALL"]  # type: ignore[union-attr]
    assert context.seccomp_profile.type == "RuntimeDefault"  # type: ignore[union-attr]


def test_replicas_are_spread_over_nodes_but_never_wait_for_one() -> None:
    for daemon in ("proxy", "webapp", "roundcube", "postfix"):
        (constraint,) = deployment("cluster").workload(daemon).pod["topologySpreadConstraints"]
        assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
        assert constraint["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] == daemon


def test_public_pods_of_a_node_without_a_name_find_each_other() -> None:
    for daemon in ("proxy", "imap", "postfix"):
        affinity = deployment("bare").workload(daemon).pod["affinity"]["podAffinity"]
        (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["labelSelector"]["matchLabels"] == {"kolab.org/edge": "main"}
        assert term["topologyKey"] == "kubernetes.io/hostname"


def test_a_pull_secret_is_used_by_every_pod() -> None:
    assert all(
        each.pod["imagePullSecrets"] == [{"name": "registry"}] for each in deployment("bare").workloads
    )


def test_every_pod_puts_up_with_the_taints_of_nodes_that_are_kept_for_mail() -> None:
    kubernetes = {**raw("cluster")["kubernetes"], "tolerations": [{"key": "mail", "value": "yes"}]}
    found = deploy(changed("cluster", {"kubernetes": kubernetes})).workloads
    wanted = [{"key": "mail", "operator": "Equal", "value": "yes"}]
    assert {each.daemon for each in found if each.pod.get("tolerations") != wanted} == set()
