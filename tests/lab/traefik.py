"""Traefik in the cluster: an Ingress controller and a Gateway, as k3s has it and as many install it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import own_images, programs, workloads
from tests.lab.cluster import Lab

NAMESPACE = "traefik"
"""Where its pod lives, and the Gateway too."""
CLASS = "traefik"
"""Of Ingresses and of Gateways."""
GATEWAY = "public"
_IMAGE = "registry.lab/traefik:3"
_ARGUMENTS = (
    "--entryPoints.web.address=:80",
    "--entryPoints.websecure.address=:443",
    # Unless told, a body may take a minute (docs/how-to/use-a-gateway.md).
    "--entryPoints.websecure.transport.respondingTimeouts.readTimeout=3600s",
    "--global.checkNewVersion=false",
    "--providers.kubernetesIngress",
    "--providers.kubernetesCRD",
    "--providers.kubernetesGateway",
    "--ping",
    "--ping.entryPoint=web",
    "--accessLog",
)
_RIGHTS = (
    ("", ("configmaps", "namespaces", "nodes", "secrets", "services"), ("get", "list", "watch")),
    ("discovery.k8s.io", ("endpointslices",), ("list", "watch")),
    ("networking.k8s.io", ("ingressclasses", "ingresses"), ("get", "list", "watch")),
    ("networking.k8s.io", ("ingresses/status",), ("update",)),
    ("traefik.io", ("*",), ("get", "list", "watch")),
    ("gateway.networking.k8s.io", ("*",), ("get", "list", "watch", "update", "patch")),
)


class Traefik:
    """One pod of it, at an address of the load balancer. Built the first time, which takes long."""

    def __init__(self, lab: Lab, address: str, node: str) -> None:
        self.address = address
        """Where the world finds it."""
        self._lab, self._node = lab, node

    @contextmanager
    def working(self) -> Iterator[None]:
        """It runs until the end; then nothing of it is left."""
        programs.build(self._lab.say, "traefik", "gateway-api")
        self._lab.load_image(own_images.of_module("traefik", _IMAGE, "traefik", "/traefik"))
        for kinds in (self._gateway_api, self._kinds):
            # Server-side: they are too big for kubectl's annotation.
            self._lab.kubectl("apply", "--server-side", "-f", str(kinds))
        self._lab.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        try:
            self._lab.kubectl("apply", "-f", "-", text=workloads.text(*self._manifests()))
            wait = ("rollout", "status", f"deployment/{NAMESPACE}", "--timeout=180s")
            self._lab.kubectl("-n", NAMESPACE, *wait, seconds=240)
            yield
        finally:
            workloads.take_away(self._lab, *self._manifests())
            for kinds in (self._gateway_api, self._kinds):
                self._lab.kubectl("delete", "--ignore-not-found", "-f", str(kinds), seconds=240)

    @property
    def pod_address(self) -> str:
        """Of its one pod."""
        found: str = self._lab.get("pods", "-n", NAMESPACE, "-l", f"app={NAMESPACE}")["items"][0]["status"][
            "podIP"
        ]
        return found

    def log(self) -> str:
        """What it said."""
        return self._lab.kubectl("-n", NAMESPACE, "logs", f"deployment/{NAMESPACE}", "--tail=-1")

    @property
    def _gateway_api(self) -> Path:
        return programs.shared("gateway-api-crds")

    @property
    def _kinds(self) -> Path:
        return programs.shared("traefik-crds.yml")

    def _manifests(self) -> list[dict[str, Any]]:
        own = {"name": NAMESPACE, "namespace": NAMESPACE}
        labels = {"app": NAMESPACE}
        container = {
            "name": "traefik",
            "image": _IMAGE,
            "imagePullPolicy": "Never",
            "args": list(_ARGUMENTS),
            "ports": [{"name": "web", "containerPort": 80}, {"name": "websecure", "containerPort": 443}],
            "readinessProbe": {"httpGet": {"path": "/ping", "port": "web"}, "periodSeconds": 1},
        }
        pod = {
            "serviceAccountName": NAMESPACE,
            "nodeSelector": {"kubernetes.io/hostname": self._node},
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        }
        rules = [
            {"apiGroups": [group], "resources": list(kinds), "verbs": list(verbs)}
            for group, kinds, verbs in _RIGHTS
        ]
        pool = {"name": NAMESPACE, "namespace": "metallb-system"}
        return [
            _object("v1", "Namespace", {"name": NAMESPACE}),
            _object("v1", "ServiceAccount", own),
            _object("rbac.authorization.k8s.io/v1", "ClusterRole", {"name": NAMESPACE}, rules=rules),
            _object(
                "rbac.authorization.k8s.io/v1",
                "ClusterRoleBinding",
                {"name": NAMESPACE},
                roleRef={
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": NAMESPACE,
                },
                subjects=[{"kind": "ServiceAccount", **own}],
            ),
            _object(
                "metallb.io/v1beta1",
                "IPAddressPool",
                pool,
                spec={"addresses": [f"{self.address}/32"], "autoAssign": False},
            ),
            _object("metallb.io/v1beta1", "L2Advertisement", pool, spec={"ipAddressPools": [NAMESPACE]}),
            _object(
                "networking.k8s.io/v1",
                "IngressClass",
                {"name": CLASS},
                spec={"controller": "traefik.io/ingress-controller"},
            ),
            _object(
                "gateway.networking.k8s.io/v1",
                "GatewayClass",
                {"name": CLASS},
                spec={"controllerName": "traefik.io/gateway-controller"},
            ),
            _object(
                "gateway.networking.k8s.io/v1",
                "Gateway",
                {"name": GATEWAY, "namespace": NAMESPACE},
                spec={"gatewayClassName": CLASS, "listeners": list(_listeners())},
            ),
            _object(
                "v1",
                "Service",
                {**own, "annotations": {"metallb.io/loadBalancerIPs": self.address}},
                spec={
                    "type": "LoadBalancer",
                    "externalTrafficPolicy": "Local",
                    "selector": labels,
                    "ports": [
                        {"name": "web", "port": 80, "targetPort": "web"},
                        {"name": "websecure", "port": 443, "targetPort": "websecure"},
                    ],
                },
            ),
            _object(
                "apps/v1",
                "Deployment",
                own,
                spec={
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": pod},
                },
            ),
        ]


def _object(version: str, kind: str, metadata: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _listeners() -> Iterator[dict[str, Any]]:
    """As the page tells (docs/how-to/use-a-gateway.md): one for the primary domain, and one of each hosted domain."""
    ours = {"matchLabels": {"kubernetes.io/metadata.name": "kolab"}}
    allowed = {"namespaces": {"from": "Selector", "selector": ours}}
    yield {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": allowed}
    for name, host, secret in LISTENERS:
        shown = {"group": "", "kind": "Secret", "name": secret, "namespace": "kolab"}
        yield {
            "name": name,
            "protocol": "HTTPS",
            "port": 443,
            "hostname": host,
            "tls": {"mode": "Terminate", "certificateRefs": [shown]},
            "allowedRoutes": allowed,
        }


LISTENERS = (
    ("website", "example.org", "proxy-certificate"),
    ("names", "*.example.org", "proxy-certificate"),
    ("example-net", "*.example.net", "tls.example.net"),
    ("later", "*.later.example", "tls.later.example"),
)
"""Listeners of the Gateway that end TLS: name, hosts, and the Secret of the stack that they show."""
