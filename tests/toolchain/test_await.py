"""When an object counts as ready, judged from what an API server says of it."""

from __future__ import annotations

from typing import Any

import pytest

from toolchain.kubernetes_plugin import await_
from toolchain.kubernetes_plugin.api import Api, Resource
from toolchain.kubernetes_plugin.waiting import Waiting

Object = dict[str, Any]


def verdict_on(
    kind: str, status: Object, spec: Object | None = None, group: str = "apps/v1", generation: int = 2
) -> await_.Verdict:
    obj = {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": "x", "generation": generation},
        "spec": spec or {},
        "status": status,
    }
    readiness = await_.readiness_of(obj, lambda claim: False)
    assert readiness is not None
    return readiness(obj)


READY_DEPLOYMENT = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
READY_STATEFULSET = {"observedGeneration": 2, "readyReplicas": 1, "updatedReplicas": 1}


@pytest.mark.parametrize(
    ("change", "ready"),
    [
        ({}, True),
        ({"observedGeneration": 1}, False),  # the controller has not seen this update yet
        ({"availableReplicas": 0}, False),
        ({"updatedReplicas": 0}, False),
        ({"replicas": 2}, False),  # a pod of the old version still serves
    ],
)
def test_a_deployment_is_ready_when_all_its_pods_are_new_and_available(change: Object, ready: bool) -> None:
    assert verdict_on("Deployment", {**READY_DEPLOYMENT, **change}).ready is ready


def test_a_deployment_of_no_replicas_is_ready() -> None:
    assert verdict_on("Deployment", {"observedGeneration": 2}, {"replicas": 0}).ready


@pytest.mark.parametrize(
    ("change", "spec", "ready"),
    [
        ({}, {}, True),
        ({"readyReplicas": 0}, {}, False),
        ({"updatedReplicas": 0}, {}, False),
        ({"updatedReplicas": 0}, {"updateStrategy": {"type": "OnDelete"}}, True),
        ({"updatedReplicas": 0}, {"updateStrategy": {"rollingUpdate": {"partition": 1}}}, True),
    ],
)
def test_a_stateful_set_is_ready_when_its_pods_are_ready_and_updated(
    change: Object, spec: Object, ready: bool
) -> None:
    assert verdict_on("StatefulSet", {**READY_STATEFULSET, **change}, spec).ready is ready


def test_a_failed_job_will_not_become_ready() -> None:
    verdict = verdict_on("Job", {"conditions": [{"type": "Failed", "status": "True"}]}, group="batch/v1")
    assert (verdict.ready, verdict.failed) == (False, True)


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret", "Namespace", "ServiceAccount"])
def test_nobody_waits_for_objects_that_are_ready_by_being_there(kind: str) -> None:
    assert await_.readiness_of({"apiVersion": "v1", "kind": kind}, lambda claim: False) is None


def waits_for(condition: str, live: Object) -> bool:
    obj = {"kind": "Mailbox", "metadata": {"annotations": {"pulumi.com/waitFor": condition}}}
    readiness = await_.readiness_of(obj, lambda claim: False)
    assert readiness is not None
    return readiness(live).ready


ADDRESS = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}, "a.b": 1, "on": True}}


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ("jsonpath={.status.loadBalancer.ingress[0].ip}", True),
        ("jsonpath={.status.loadBalancer.ingress[1].ip}", False),
        ("jsonpath={.status.loadBalancer.ingress[*].ip}=192.0.2.1", True),
        ("jsonpath={.status.loadBalancer.ingress[0].ip}=192.0.2.2", False),
        ("jsonpath={.status['a.b']}=1", True),
        ("jsonpath={.status.on}=true", True),
        ("jsonpath=.status.on", True),
        ('["jsonpath={.status.on}", "condition=Ready"]', False),
    ],
)
def test_a_condition_of_the_program_is_looked_up_in_the_live_object(condition: str, met: bool) -> None:
    assert waits_for(condition, ADDRESS) is met


@pytest.mark.parametrize("condition", ["nonsense", "[nonsense", "jsonpath={.a[?(@.b)]}", "jsonpath="])
def test_a_condition_that_cannot_be_read_is_refused(condition: str) -> None:
    with pytest.raises(await_.BadCondition):
        waits_for(condition, {})


class _Classes(Api):
    """An API server that has nothing but storage classes."""

    def __init__(self, *classes: Object) -> None:
        self._classes = list(classes)

    def resource(self, api_version: str, kind: str) -> Resource:
        return Resource(f"/apis/{api_version}", f"{kind.lower()}es", namespaced=False)

    def labelled(self, resource: Resource, namespace: str | None, selector: dict[str, str]) -> list[Object]:
        return self._classes


@pytest.mark.parametrize("prefix", ["storageclass", "storageclass.beta"])
def test_a_claim_without_a_class_waits_as_the_default_class_says(prefix: str) -> None:
    metadata = {"name": "disks", "annotations": {f"{prefix}.kubernetes.io/is-default-class": "true"}}
    late = {"metadata": metadata, "volumeBindingMode": "WaitForFirstConsumer"}
    other = {"metadata": {"name": "other"}, "volumeBindingMode": "Immediate"}
    assert Waiting(_Classes(other, late)).waits_for_consumer({"spec": {}})
    assert not Waiting(_Classes(other)).waits_for_consumer({"spec": {}})
