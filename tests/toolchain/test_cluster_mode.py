"""Cluster mode of the stand-in, against a real API server. Facts: provider_behaviour, and the recorder's notes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from tests.toolchain import control_plane
from tests.toolchain.harness import Case, Plugin, outcome, serving, struct, urn, values
from toolchain.kubernetes_plugin import await_, cluster

pytestmark = pytest.mark.acceptance

CONFIGMAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
SERVICE = "kubernetes:core/v1:Service"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
MAILBOX = "kubernetes:kolab.example/v1:Mailbox"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[control_plane.ControlPlane]:
    if missing := control_plane.missing():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    with control_plane.running(tmp_path_factory.mktemp("plane")) as found:
        for scope, kind in (("Namespaced", "Mailbox"), ("Cluster", "Domain")):
            found.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd(kind, scope))
        yield found


@pytest.fixture
def namespace(plane: control_plane.ControlPlane, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = f"t{abs(hash(request.node.name))}"
    plane.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest.fixture
def plugin(
    plane: control_plane.ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Plugin]:
    monkeypatch.setenv("KOLAB_STANDIN_CLUSTER", "1")
    monkeypatch.setattr(await_, "DEFAULT_SECONDS", 30.0)  # a test that fails need not take ten minutes
    with serving(tmp_path) as found:
        configure(found, plane.kubeconfig)
        yield found


def configure(plugin: Plugin, kubeconfig: str, **settings: str) -> None:
    given = struct({"kubeconfig": kubeconfig, **settings})
    plugin.stub.Configure(provider_pb2.ConfigureRequest(args=given, acceptSecrets=True))


def crd(kind: str, scope: str) -> Case:
    plural = f"{kind.lower()}es"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}
        },
    }
    return {
        "metadata": {"name": f"{plural}.kolab.example"},
        "spec": {
            "group": "kolab.example",
            "scope": scope,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [version],
        },
    }


def config_map(namespace: str, data: dict[str, str], **metadata: Any) -> Case:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cfg", "namespace": namespace, **metadata},
        "data": data,
    }


def workload(kind: str, namespace: str, labels: dict[str, str] | None = None, **spec: Any) -> Case:
    selector = {"app": kind.lower()}
    pod: Case = {
        "metadata": {"labels": {**selector, **(labels or {})}},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    if kind == "Job":
        spec |= {"template": {**pod, "spec": {**pod["spec"], "restartPolicy": "Never"}}}
    else:
        spec |= {"selector": {"matchLabels": selector}, "template": pod}
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "w", "namespace": namespace},
        "spec": spec,
    }


def annotated(obj: Case, **annotations: str) -> Case:
    return {
        **obj,
        "metadata": {
            **obj["metadata"],
            "annotations": {f"pulumi.com/{k}": v for k, v in annotations.items()},
        },
    }


def failure(plugin: Plugin, call: Any) -> provider_pb2.ErrorResourceInitFailed:
    """The details of a call that fails after its object was made."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    trailer = dict(caught.value.trailing_metadata())
    detail = provider_pb2.ErrorResourceInitFailed()
    status_pb2.Status.FromString(trailer["grpc-status-details-bin"]).details[0].Unpack(detail)
    return detail


def live(plane: control_plane.ControlPlane, namespace: str) -> Any:
    return plane.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/cfg")


def test_an_existing_object_is_not_overwritten(plugin: Plugin, plane: Any, namespace: str) -> None:
    plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))
    refused = outcome(lambda: plugin.create(CONFIGMAP, config_map(namespace, {"a": "2"})))
    assert 'configmaps "cfg" already exists' in refused["error"]["message"]
    assert live(plane, namespace)["data"] == {"a": "1"}


def test_an_existing_object_is_taken_over_when_the_provider_upserts(
    plugin: Plugin, plane: Any, namespace: str
) -> None:
    plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))
    configure(plugin, plane.kubeconfig, upsertExistingObjects="true")
    plugin.create(CONFIGMAP, annotated(config_map(namespace, {"a": "2"}), patchForce="true"))
    assert live(plane, namespace)["data"] == {"a": "2"}


def test_the_live_object_carries_the_managers_of_the_genuine_plugin(
    plugin: Plugin, plane: Any, namespace: str
) -> None:
    state = plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))["outputs"]
    created = [(m["manager"], m["operation"]) for m in live(plane, namespace)["metadata"]["managedFields"]]
    plugin.update(CONFIGMAP, state, config_map(namespace, {"a": "2"}))
    updated = [(m["manager"], m["operation"]) for m in live(plane, namespace)["metadata"]["managedFields"]]
    assert (created, updated) == ([("pulumi-kubernetes", "Update")], [(state["__fieldManager"], "Apply")])


def test_an_update_removes_keys_that_the_program_dropped(plugin: Plugin, plane: Any, namespace: str) -> None:
    state = plugin.create(CONFIGMAP, config_map(namespace, {"a": "1", "b": "1"}))["outputs"]
    plugin.update(CONFIGMAP, state, config_map(namespace, {"b": "2"}))
    assert live(plane, namespace)["data"] == {"b": "2"}


def test_an_update_undoes_what_kubectl_changed_and_added(plugin: Plugin, plane: Any, namespace: str) -> None:
    state = plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))["outputs"]
    plane.merge(f"/api/v1/namespaces/{namespace}/configmaps/cfg", {"data": {"a": "drift", "z": "extra"}})
    plugin.update(CONFIGMAP, state, config_map(namespace, {"a": "1"}))
    assert live(plane, namespace)["data"] == {"a": "1"}


def test_a_field_of_another_manager_is_a_conflict(plugin: Plugin, plane: Any, namespace: str) -> None:
    state = plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))["outputs"]
    path = f"/api/v1/namespaces/{namespace}/configmaps/cfg?fieldManager=other&force=true"
    plane.request("PATCH", path, config_map(namespace, {"a": "theirs"}), "application/apply-patch+yaml")
    detail = failure(plugin, lambda: plugin.update(CONFIGMAP, state, config_map(namespace, {"a": "2"})))
    assert 'conflict with "other": .data.a' in detail.reasons[0]
    forced = annotated(config_map(namespace, {"a": "2"}), patchForce="true")
    assert plugin.update(CONFIGMAP, state, forced)["outputs"]["data"] == {"a": "2"}


def test_a_refresh_shows_drift_of_what_the_program_set_only(
    plugin: Plugin, plane: Any, namespace: str
) -> None:
    state = plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))["outputs"]
    plane.merge(f"/api/v1/namespaces/{namespace}/configmaps/cfg", {"data": {"a": "drift", "z": "extra"}})
    found = read(plugin, CONFIGMAP, f"{namespace}/cfg", state)
    assert values(found.inputs)["data"] == {"a": "drift"}
    assert values(found.properties)["data"] == {"a": "drift", "z": "extra"}


def read(plugin: Plugin, type_: str, id: str, state: Case | None = None) -> provider_pb2.ReadResponse:
    return plugin.stub.Read(
        provider_pb2.ReadRequest(id=id, urn=urn(type_, "res"), properties=struct(state or {}))
    )


def test_an_imported_secret_stays_secret_in_the_state(plugin: Plugin, plane: Any, namespace: str) -> None:
    secret = {"metadata": {"name": "s"}, "data": {"k": "dg=="}}
    plane.request("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)
    found = values(read(plugin, "kubernetes:core/v1:Secret", f"{namespace}/s").properties)
    assert found["data"]["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"


def test_a_vanished_object_reads_as_gone(plugin: Plugin, namespace: str) -> None:
    state = plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))["outputs"]
    plugin.delete(CONFIGMAP, state)
    plugin.delete(CONFIGMAP, state)
    assert read(plugin, CONFIGMAP, f"{namespace}/cfg", state).id == ""


def test_a_preview_is_a_dry_run(plugin: Plugin, plane: Any, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": namespace},
        "spec": {"ports": [{"port": 25}]},
    }
    assert plugin.create(SERVICE, service, preview=True)["outputs"]["spec"]["sessionAffinity"] == "None"
    assert plane.request("GET", f"/api/v1/namespaces/{namespace}/services/s")["code"] == 404


def test_a_preview_refuses_what_the_api_server_would(plugin: Plugin, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": namespace},
        "spec": {"ports": [{"port": 99999}]},
    }
    refused = outcome(lambda: plugin.create(SERVICE, service, preview=True))
    assert "must be between 1 and 65535" in refused["error"]["message"]


@pytest.mark.parametrize("late", ["namespace", "crd"])
def test_a_preview_answers_the_inputs_where_the_cluster_cannot_be_asked_yet(
    plugin: Plugin, late: str, namespace: str
) -> None:
    inputs = config_map("nosuch" if late == "namespace" else namespace, {"a": "1"})
    if late == "crd":
        inputs |= {"apiVersion": "late.example/v1", "kind": "Late"}
    assert plugin.create(CONFIGMAP, inputs, preview=True)["outputs"] == inputs


def test_creation_waits_for_a_namespace_that_is_late(plugin: Plugin, plane: Any, namespace: str) -> None:
    late = f"{namespace}-late"
    make = {"metadata": {"name": late}}
    threading.Timer(1.5, lambda: plane.request("POST", "/api/v1/namespaces", make)).start()
    assert plugin.create(CONFIGMAP, config_map(late, {"a": "1"}))["id"] == f"{late}/cfg"


def test_creation_gives_up_on_a_kind_that_never_comes(
    plugin: Plugin, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "RETRY_AFTER_SECONDS", (0.01, 0.01))
    never = {**config_map(namespace, {}), "apiVersion": "never.example/v1", "kind": "Never"}
    refused = outcome(lambda: plugin.create("kubernetes:never.example/v1:Never", never))
    assert "Verify that any required CRDs have been created" in refused["error"]["message"]


def test_a_custom_resource_of_the_whole_cluster_needs_no_namespace(plugin: Plugin) -> None:
    domain = {
        "apiVersion": "kolab.example/v1",
        "kind": "Domain",
        "metadata": {"name": "d", "namespace": "default"},
    }
    created = plugin.create("kubernetes:kolab.example/v1:Domain", domain)
    assert created["id"] == "d"
    plugin.delete("kubernetes:kolab.example/v1:Domain", created["outputs"])


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job"])
def test_creation_waits_until_a_workload_is_ready(plugin: Plugin, kind: str, namespace: str) -> None:
    obj = workload(kind, namespace)
    status = plugin.create(f"kubernetes:{obj['apiVersion']}:{kind}", obj)["outputs"]["status"]
    ready = {"Deployment": "availableReplicas", "StatefulSet": "readyReplicas", "Job": "succeeded"}.get(kind)
    assert ready is None or status[ready] == 1  # no node, no pods of a DaemonSet


def test_a_workload_that_never_becomes_ready_is_kept_with_its_reasons(plugin: Plugin, namespace: str) -> None:
    stuck = annotated(workload("Deployment", namespace, {control_plane.STUCK: "yes"}), timeoutSeconds="3")
    detail = failure(plugin, lambda: plugin.create(DEPLOYMENT, stuck))
    assert detail.id == f"{namespace}/w"
    assert detail.reasons[0].endswith("'w' timed out waiting to be Ready")
    assert any("[c][ErrImagePull] no such image" in reason for reason in detail.reasons)
    assert values(detail.properties)["__inputs"] == stuck


def test_a_refresh_reports_a_workload_that_is_not_ready(plugin: Plugin, namespace: str) -> None:
    stuck = annotated(workload("Deployment", namespace, {control_plane.STUCK: "yes"}), timeoutSeconds="1")
    detail = failure(plugin, lambda: plugin.create(DEPLOYMENT, stuck))
    again = failure(plugin, lambda: read(plugin, DEPLOYMENT, detail.id, values(detail.properties)))
    assert again.reasons[0] == "Resource 'w' was created but failed to initialize"


def test_a_failed_job_fails_at_once(plugin: Plugin, namespace: str) -> None:
    job = workload("Job", namespace, {"kolab.test/fails": "yes"}, backoffLimit=0)
    started = time.monotonic()
    detail = failure(plugin, lambda: plugin.create(JOB, job))
    assert time.monotonic() - started < 20
    assert "'w' was created but failed to initialize" in detail.reasons[0]


def test_nobody_waits_for_an_object_that_says_skip_await(plugin: Plugin, namespace: str) -> None:
    stuck = annotated(workload("Deployment", namespace, {control_plane.STUCK: "yes"}), skipAwait="true")
    assert plugin.create(DEPLOYMENT, stuck)["id"] == f"{namespace}/w"


def test_a_load_balancer_is_waited_for_until_it_has_an_address(
    plugin: Plugin, plane: Any, namespace: str
) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "lb", "namespace": namespace},
        "spec": {"type": "LoadBalancer", "selector": {"a": "b"}, "ports": [{"port": 25}]},
    }
    address = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    path = f"/api/v1/namespaces/{namespace}/services/lb/status"
    threading.Timer(1, lambda: plane.merge(path, address)).start()
    outputs = plugin.create(SERVICE, service)["outputs"]
    assert outputs["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("jsonpath={.status.phase}=Ready", {"phase": "Ready"}),
        ("condition=Ready", {"conditions": [{"type": "Ready", "status": "True"}]}),
        (
            '["jsonpath={.status.items[0].ip}", "condition=Up=Yes"]',
            {"items": [{"ip": "x"}], "conditions": [{"type": "Up", "status": "Yes"}]},
        ),
    ],
)
def test_creation_waits_for_what_the_annotation_asks(
    plugin: Plugin, plane: Any, namespace: str, condition: str, status: Case
) -> None:
    box = {
        "apiVersion": "kolab.example/v1",
        "kind": "Mailbox",
        "metadata": {"name": "box", "namespace": namespace},
    }
    path = f"/apis/kolab.example/v1/namespaces/{namespace}/mailboxes/box"
    threading.Timer(1, lambda: plane.merge(path, {"status": status})).start()
    assert plugin.create(MAILBOX, annotated(box, waitFor=condition))["outputs"]["status"] == status


def test_a_claim_that_waits_for_its_first_consumer_is_not_waited_for(
    plugin: Plugin, plane: Any, namespace: str
) -> None:
    storage = {
        "metadata": {"name": "late"},
        "provisioner": "x.example/p",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    plane.request("POST", "/apis/storage.k8s.io/v1/storageclasses", storage)
    spec = {
        "storageClassName": "late",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "d", "namespace": namespace},
        "spec": spec,
    }
    assert plugin.create(CLAIM, claim)["outputs"]["status"] == {"phase": "Pending"}


def test_deletion_takes_the_pods_along_before_it_answers(plugin: Plugin, plane: Any, namespace: str) -> None:
    state = plugin.create(DEPLOYMENT, workload("Deployment", namespace))["outputs"]
    plugin.delete(DEPLOYMENT, state)
    assert plane.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"] == []


def test_deletion_says_which_finalizer_holds_the_object(plugin: Plugin, namespace: str) -> None:
    held = config_map(
        namespace,
        {"a": "1"},
        finalizers=["kolab.example/hold"],
        annotations={"pulumi.com/timeoutSeconds": "1"},
    )
    state = plugin.create(CONFIGMAP, held)["outputs"]
    refused = outcome(lambda: plugin.delete(CONFIGMAP, state))
    assert refused["error"]["message"] == "timed out waiting for the condition"
    assert "finalizers might be preventing deletion (kolab.example/hold)" in [
        line["text"] for line in plugin.engine.lines
    ]


def test_a_cancelled_creation_stops_waiting_but_is_not_forgotten(plugin: Plugin, namespace: str) -> None:
    stuck = workload("Deployment", namespace, {control_plane.STUCK: "yes"})
    threading.Timer(1, lambda: plugin.stub.Cancel(empty_pb2.Empty())).start()
    started = time.monotonic()
    detail = failure(plugin, lambda: plugin.create(DEPLOYMENT, stuck))
    assert time.monotonic() - started < 10
    assert detail.id == f"{namespace}/w"


def test_a_refresh_of_a_custom_resource_definition_changes_nothing(plugin: Plugin) -> None:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        **crd("Alias", "Namespaced"),
    }
    type_ = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    state = plugin.create(type_, definition)["outputs"]
    found = read(plugin, type_, definition["metadata"]["name"], state)
    assert values(found.inputs) == definition
    assert plugin.diff(type_, values(found.properties), definition)["changes"] == "none"


@pytest.mark.parametrize(
    ("setting", "answers"),
    [({}, "error"), ({"deleteUnreachable": "true"}, "gone"), ({"skipUpdateUnreachable": "true"}, "state")],
)
def test_reading_without_a_cluster_answers_what_the_provider_allows(
    plugin: Plugin, namespace: str, setting: dict[str, str], answers: str
) -> None:
    state = plugin.create(CONFIGMAP, config_map(namespace, {"a": "1"}))["outputs"]
    nowhere = "{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}], contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {token: t}}], current-context: c}"
    configure(plugin, nowhere, **setting)
    found = outcome(lambda: read(plugin, CONFIGMAP, f"{namespace}/cfg", state))
    if answers == "error":
        assert "failed to read resource state due to unreachable cluster" in found["error"]["message"]
    else:
        assert found.id == ("" if answers == "gone" else f"{namespace}/cfg")
