"""Rules about objects of the cluster: the shipped stacks keep them, and each notices what breaks it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from model.catalogue import objects as catalogue
from model.findings import Rule
from model.rules import objects
from tests.support.stacks import SHIPPED, deployment

Manifest = dict[str, Any]


def service(**spec: Any) -> Manifest:
    """A public Service of Postfix that is as it should be."""
    good = {
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "selector": {"app.kubernetes.io/name": "postfix"},
        "ports": [{"port": 25, "targetPort": "smtp-in"}],
    }
    return {"kind": "Service", "metadata": {"name": "public"}, "spec": good | spec}


def workload(kind: str = "StatefulSet", container: Manifest | None = None, **pod: Any) -> Manifest:
    """A workload that is as it should be, but for these."""
    good = {
        "name": "daemon",
        "image": "example.org/daemon@sha256:0",
        "resources": {"limits": {"memory": "1Gi"}},
        "env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}],
    }
    found = {"automountServiceAccountToken": False, "containers": [good | (container or {})]} | pod
    spec: Manifest = {"template": {"spec": found}}
    if kind == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    return {"kind": kind, "metadata": {"name": "daemon", "labels": {}}, "spec": spec}


def policy(*egress: Manifest, of: str = "webapp") -> Manifest:
    selector = {"matchLabels": {"app.kubernetes.io/name": of}}
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": of},
        "spec": {"podSelector": selector, "egress": [*egress]},
    }


def claimed(kind: str = "Deployment", **spec: Any) -> Manifest:
    """A workload with a volume of its own."""
    made = workload(kind, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    made["spec"] |= spec
    return made


_WORLD = {"ipBlock": {"cidr": "0.0.0.0/0"}}
BROKEN = [
    (catalogue.CLIENT_ADDRESS, service(externalTrafficPolicy="Cluster")),
    (catalogue.CLIENT_ADDRESS, service(externalTrafficPolicy=None)),
    (catalogue.CLIENT_ADDRESS, service(type="NodePort", externalTrafficPolicy=None)),
    (catalogue.INSIDE_PORT, service(ports=[{"port": 587, "targetPort": "submission"}])),
    (catalogue.INSIDE_PORT, service(ports=[{"port": 587, "targetPort": 10587}])),
    (catalogue.INSIDE_PORT, service(ports=[{"port": 25, "targetPort": 13025}])),
    (catalogue.INSIDE_PORT, service(ports=[{"port": 10587}])),
    (catalogue.INSIDE_PORT, service(selector={"app.kubernetes.io/name": "imap"}, ports=[{"port": 143, "targetPort": "imap"}])),
    (catalogue.NODE_NAMESPACES, workload(hostNetwork=True)),
    (catalogue.NODE_NAMESPACES, workload("CronJob", hostPID=True)),
    (catalogue.NODE_NAMESPACES, workload("DaemonSet", volumes=[{"name": "x", "hostPath": {"path": "/"}}])),
    (catalogue.PRIVILEGED, workload(container={"securityContext": {"privileged": True}})),
    (catalogue.PRIVILEGED, workload(container={"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}})),
    (catalogue.UNLIMITED, workload("Job", container={"resources": {}})),
    (catalogue.UNLIMITED, workload("Deployment", container={"resources": {"limits": {"cpu": "1"}}})),
    (catalogue.SYSTEM_PRIORITY, workload(priorityClassName="system-cluster-critical")),
    (catalogue.SYSTEM_PRIORITY, workload("CronJob", priorityClassName="system-node-critical")),
    (catalogue.PLAIN_SECRET, workload(container={"env": [{"name": "REDIS_PASSWORD", "value": "hunter2"}]})),
    (catalogue.PLAIN_SECRET, workload(initContainers=[workload(container={"env": [{"name": "API_TOKEN", "value": "x"}]})["spec"]["template"]["spec"]["containers"][0]])),
    (catalogue.TWO_WRITERS, claimed(replicas=2)),
    (catalogue.TWO_WRITERS, claimed(replicas=1, strategy={"type": "RollingUpdate"})),
    (catalogue.TWO_WRITERS, claimed()),
    (catalogue.API_TOKEN, workload(automountServiceAccountToken=True)),
    (catalogue.API_TOKEN, workload(automountServiceAccountToken=None)),
    (catalogue.IMAGE_MOVES, workload(container={"image": "example.org/daemon:1.0"})),
    (catalogue.WAY_OUT, policy({"to": [_WORLD], "ports": [{"port": 25}]})),
    (catalogue.WAY_OUT, policy({"ports": [{"port": 1, "endPort": 1024}]})),
    (catalogue.WAY_OUT, policy({"to": [_WORLD]})),
    (catalogue.WAY_OUT, policy({"to": [_WORLD], "ports": [{"protocol": "TCP"}]})),
]  # fmt: skip
SOUND = [
    service(),
    workload(),
    claimed("StatefulSet"),
    claimed(strategy={"type": "Recreate"}),
    policy({"to": [_WORLD], "ports": [{"port": 25}]}, of="postfix"),
    policy({"to": [_WORLD], "ports": [{"port": 443}]}),
    policy({"to": [_WORLD], "ports": [{"port": 25, "protocol": "UDP"}]}),
    policy({"to": [{"podSelector": {}}]}),
    workload(container={"env": [{"name": "SSL_CERTIFICATE_KEY", "value": "/kolab/tls.key"}]}),
    {"kind": "Service", "metadata": {"name": "postfix"}, "spec": {"ports": [{"port": 10587}]}},
]


@pytest.mark.parametrize(("rule", "manifest"), BROKEN, ids=lambda value: getattr(value, "id", ""))
def test_what_breaks_a_rule_is_found_under_its_id(rule: Rule, manifest: Manifest) -> None:
    assert [finding.rule for finding in objects.judge(manifest)] == [rule.id]


@pytest.mark.parametrize("manifest", SOUND, ids=lambda manifest: manifest["kind"])
def test_what_keeps_the_rules_is_left_alone(manifest: Manifest) -> None:
    assert list(objects.judge(manifest)) == []


@pytest.mark.parametrize("protect", [True, False])
def test_a_volume_without_protection_is_found(protect: bool) -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "spool"}}
    found = [finding.rule for finding in objects.unguarded(claim, protect=protect)]
    assert found == ([] if protect else [catalogue.UNGUARDED.id])


def test_every_rule_about_objects_has_something_that_breaks_it() -> None:
    declared = {value.id for value in vars(catalogue).values() if isinstance(value, Rule)}
    assert {rule.id for rule, _ in BROKEN} | {catalogue.UNGUARDED.id} == declared


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_stack_breaks_no_rule(name: str) -> None:
    found = [finding for manifest in deployment(name).objects for finding in objects.judge(manifest)]
    assert [str(finding) for finding in found if finding.severity == "error"] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_public_service_of_a_shipped_stack_that_is_edited_is_found(name: str) -> None:
    for manifest in deployment(name).of_kind("Service"):
        if manifest["spec"].get("type") == "LoadBalancer":
            edited = copy.deepcopy(dict(manifest))
            edited["spec"]["externalTrafficPolicy"] = "Cluster"
            assert catalogue.CLIENT_ADDRESS.id in {finding.rule for finding in objects.judge(edited)}
