"""Webhooks that the cluster asks about every object, and room that others leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observe_load import requests
from model.budget import Room
from model.rules.cluster_admission import Webhook, cluster_admission, watching
from model.rules.cluster_room import cluster_room
from tests.model.files import settings

GIB = 1024**3
PODS = {"apiGroups": [""], "operations": ["CREATE"], "resources": ["pods"]}


def seen(**changes: Any) -> list[Webhook]:
    hook = {
        "name": "w",
        "rules": [PODS],
        "clientConfig": {"service": {"namespace": "k", "name": "s"}},
        **changes,
    }
    found = {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "c"}, "webhooks": [hook]}
    return list(watching(found, "kolab"))


@pytest.mark.parametrize(
    ("changes", "sees"),
    [
        ({}, True),
        ({"rules": [{**PODS, "operations": ["DELETE"]}]}, False),
        ({"rules": [{**PODS, "resources": ["pods/exec"]}]}, False),
        ({"rules": [{"apiGroups": ["*"], "operations": ["*"], "resources": ["*"]}]}, True),
        ({"rules": [{**PODS, "apiGroups": ["shop.example"], "resources": ["*"]}]}, False),
        ({"namespaceSelector": {"matchLabels": {"watched": "yes"}}}, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kolab"}}}, True),
        ({"objectSelector": {"matchLabels": {"inject": "yes"}}}, False),
    ],
)
def test_a_webhook_counts_when_it_sees_objects_of_the_stack(changes: dict[str, Any], sees: bool) -> None:
    assert bool(seen(**changes)) is sees


@pytest.mark.parametrize(
    ("policy", "answers", "refused"),
    [
        (None, False, True),
        ("Fail", False, True),
        ("Ignore", False, False),
        ("Fail", True, False),
        ("Fail", None, False),
    ],
)
def test_one_that_is_asked_and_never_answers_is_refused(
    policy: str | None, answers: bool | None, refused: bool
) -> None:
    (hook,) = seen(failurePolicy=policy)
    judged = replace(hook, answers=answers)
    found = [str(each) for each in cluster_admission(settings("cluster"), (judged,))]
    assert bool(found) is refused
    assert all("kubectl delete validatingwebhookconfiguration c" in each for each in found)


HERE = {"matchLabels": {"kubernetes.io/metadata.name": "kolab"}}
ELSEWHERE = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
OF_METALLB = {"matchLabels": {"kubernetes.io/metadata.name": "metallb-system"}}


def everything(group: str = "*", **more: Any) -> dict[str, Any]:
    return {"apiGroups": [group], "operations": ["*"], "resources": ["*"], **more}


@pytest.mark.parametrize(
    ("rule", "chooses", "kind", "sees"),
    [
        (everything("metallb.io"), {}, "ipaddresspools", True),
        (everything("metallb.io"), OF_METALLB, "l2advertisements", True),
        (everything("metallb.io"), HERE, "ipaddresspools", False),
        (everything(), OF_METALLB, "pods", False),
        (everything(), HERE, "pods", True),
        (everything("scheduling.k8s.io"), ELSEWHERE, "priorityclasses", True),
        (everything("rbac.authorization.k8s.io"), ELSEWHERE, "clusterroles", True),
        (everything(), ELSEWHERE, "namespaces", False),
        (everything(scope="Namespaced"), HERE, "priorityclasses", False),
        (everything(scope="Namespaced"), HERE, "namespaces", False),
        (everything(scope="Namespaced"), HERE, "pods", True),
        (everything(scope="Cluster"), HERE, "namespaces", True),
        (everything(scope="Cluster"), HERE, "pods", False),
    ],
)
def test_a_webhook_sees_kinds_where_their_objects_are(
    rule: dict[str, Any], chooses: dict[str, Any], kind: str, sees: bool
) -> None:
    found = seen(rules=[rule], namespaceSelector=chooses)
    assert any(kind in each.kinds for each in found) is sees


def test_metallb_is_where_the_stack_file_says_it_is() -> None:
    hook = {
        "name": "w",
        "rules": [everything("metallb.io")],
        "namespaceSelector": OF_METALLB,
        "clientConfig": {},
    }
    found = {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "c"}, "webhooks": [hook]}
    assert list(watching(found, "kolab", "metallb")) == []
    assert len(list(watching(found, "kolab", "metallb-system"))) == 1  # fmt: skip


SILENT = Webhook(name="w", configuration="c", kinds=("pods",), service="k/s", required=True, answers=False)


@pytest.mark.parametrize(
    ("kind", "switched_on"),
    [
        ("ipaddresspools", {"network/loadBalancer": "metallb"}),
        ("certificates", {"tls": {"issuer": "existing", "name": "public"}}),
        ("issuers", {"tls": {"issuer": "selfSigned"}}),
        ("ciliumnetworkpolicies", {"network/cni": "cilium"}),
        ("ingresses", {"network/ingress": {"className": "c", "namespace": "n", "controllerCidr": "10.42.7.0/24"}}),
        ("daemonsets", {"monitoring/enabled": True}),
        ("priorityclasses", {"kubernetes": {"context": "c"}}),
    ],
)  # fmt: skip
def test_a_silent_webhook_matters_to_stacks_that_make_what_it_sees(
    kind: str, switched_on: dict[str, Any]
) -> None:
    off = {
        "network/loadBalancer": "hostPort",
        "network/cni": "standard",
        "tls": {"issuer": "secrets", "proxy": "a", "mx": "b", "sieve": "c"},
        "monitoring": {"enabled": False},
        "kubernetes": {"context": "c", "priorityClasses": {"own": False}},
    }
    hooks = (replace(SILENT, kinds=(kind,)),)
    assert list(cluster_admission(settings("single-node", off), hooks)) == []
    (found,) = cluster_admission(settings("single-node", off | switched_on), hooks)
    assert (found.rule, found.severity) == ("webhook-silent", "error")
    assert f"shows {kind} to the webhook w" in found.problem


def test_one_that_asks_about_some_objects_only_is_a_warning() -> None:
    (hook,) = seen(matchConditions=[{"name": "not-ours", "expression": "false"}])
    (found,) = cluster_admission(settings("cluster"), (replace(hook, answers=False),))
    assert (found.rule, found.severity) == ("webhook-silent", "warning")
    assert "matchConditions" in found.problem


def rules(size: str, rooms: dict[str, Room], taken: dict[str, Room] | None, **changes: Any) -> set[str]:
    return {each.path for each in cluster_room(settings(size, changes), rooms, taken)}


def test_what_others_leave_is_what_counts() -> None:
    rooms = {name: Room(8000, 16 * GIB) for name in ("a", "b")}
    assert rules("cluster", rooms, {}) == set()
    assert rules("cluster", rooms, {"a": Room(7900, GIB), "b": Room(7900, GIB)}) == {"kolab:size"}
    assert rules("cluster", rooms, None) == set()


def test_a_node_that_must_take_the_public_pods_is_judged_alone() -> None:
    rooms = {"server1": Room(4000, 8 * GIB), "other": Room(16000, 64 * GIB)}
    assert rules("single-node", rooms, {}) == set()
    assert rules("single-node", rooms, {"server1": Room(3900, GIB)}) == {"kolab:network.edgeNode"}


def asks(cpu: str, memory: str = "0", **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [asks("100m", "1Gi"), asks("0.5", "128974848m")]}, Room(600, GIB + 128975)),
        ({"containers": [asks("100m")], "initContainers": [asks("2")]}, Room(2000, 0)),
        ({"containers": [asks("1")], "initContainers": [asks("1", restartPolicy="Always")]}, Room(2000, 0)),
        ({"containers": [asks("1")], "overhead": {"cpu": "250m"}}, Room(1250, 0)),
        ({"containers": [asks("1")], "resources": {"requests": {"cpu": "3"}}}, Room(3000, 0)),
        ({"containers": [{}]}, Room(0, 0)),
    ],
)
def test_a_pod_counts_as_the_scheduler_counts_it(spec: dict[str, Any], expected: Room) -> None:
    assert requests(spec) == expected
