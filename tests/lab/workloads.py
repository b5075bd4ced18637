"""Small manifests for tests of the lab: the echo program (go/tools/echo) in pods, behind Services; and how manifests come and go."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.lab.cluster import Lab
from tests.lab.own_images import ECHO

Manifest = dict[str, Any]


def text(*manifests: Manifest) -> str:
    """What `kubectl apply -f -` reads."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})


def take_away(lab: Lab, *manifests: Manifest) -> None:
    """The last first, each until it has gone; what is not there stays so."""
    for each in reversed(manifests):
        at = ("-n", each["metadata"]["namespace"]) if "namespace" in each["metadata"] else ()
        line = (each["kind"], each["metadata"]["name"], *at, "--ignore-not-found")
        lab.kubectl("delete", *line, seconds=240)


def echo(
    name: str,
    *,
    namespace: str = "default",
    node: str | None = None,
    claim: str | None = None,
    labels: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
    security: Mapping[str, Any] | None = None,
    replicas: int = 1,
) -> Manifest:
    """A Deployment that serves HTTP (and UDP on the first port); `claim` is mounted at /data."""
    serving = ports or {"http": 8080}
    first = next(iter(serving.values()))
    container: Manifest = {
        "name": "echo",
        "image": ECHO,
        "args": ["serve", f"{first}/udp", *map(str, serving.values())],
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "ports": [{"name": port, "containerPort": number} for port, number in serving.items()],
        "readinessProbe": {"httpGet": {"path": "/", "port": first}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/", "port": first}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    spec: Manifest = {"containers": [container], "terminationGracePeriodSeconds": 1}
    if node:
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
    if security:
        spec["securityContext"] = dict(security)
    if claim:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    own = {"app": name, **(labels or {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": own}, "spec": spec},
        },
    }


def service(name: str, app: str, *, namespace: str = "default", port: int = 80, **spec: Any) -> Manifest:
    """A Service in front of `echo`, over TCP and UDP."""
    ports = [
        {"name": protocol.lower(), "protocol": protocol, "port": port, "targetPort": 8080}
        for protocol in ("TCP", "UDP")
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": app}, "ports": ports, **spec},
    }


def load_balancer(name: str, app: str, policy: str, address: str) -> Manifest:
    """A Service on an address of its own."""
    manifest = service(name, app, type="LoadBalancer", externalTrafficPolicy=policy)
    manifest["metadata"]["annotations"] = {"metallb.io/loadBalancerIPs": address}
    return manifest


def claim(name: str, storage_class: str | None = None, modes: Sequence[str] = ("ReadWriteOnce",)) -> Manifest:
    """A claim; None means the default class."""
    spec: Manifest = {"accessModes": list(modes), "resources": {"requests": {"storage": "10Mi"}}}
    if storage_class:
        spec["storageClassName"] = storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def network_policy(name: str, namespace: str = "default", **spec: Any) -> Manifest:
    """A NetworkPolicy."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }
