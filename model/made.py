"""Kinds of objects that a stack makes, in the words of the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from model import priorities
from model.settings import Replicas, Settings

Home = Literal["stack", "metallb", "cluster"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """Kinds of one group of the API."""

    group: str
    kinds: tuple[str, ...]
    when: Callable[[Settings], bool] = lambda _: True
    """Which stacks make them."""
    home: Home = "stack"
    """Whose namespace they are in; `cluster` for none. A namespace is judged by its own labels, as if it were in itself."""


def _collects_logs(settings: Settings) -> bool:
    return settings.monitoring.enabled


def _gateway(settings: Settings) -> bool:
    return settings.network.gateway is not None


def _grants(settings: Settings) -> bool:
    gateway = settings.network.gateway
    elsewhere = gateway is not None and gateway.namespace != settings.kubernetes.namespace
    return elsewhere and gateway is not None and gateway.certificates == "stack"


def _runs_twice(settings: Settings) -> bool:
    return any(settings.pods(name) > 1 for name in Replicas.model_fields)


MADE = (
    Made(
        group="",
        kinds=("namespaces", "configmaps", "persistentvolumeclaims", "pods", "secrets", "services"),
    ),
    Made(group="", kinds=("serviceaccounts",), when=_collects_logs),
    # Replicasets, as pods, are made by Kubernetes for us.
    Made(group="apps", kinds=("deployments", "replicasets", "statefulsets")),
    Made(group="apps", kinds=("daemonsets",), when=_collects_logs),
    Made(group="batch", kinds=("cronjobs", "jobs")),
    Made(
        group="cert-manager.io",
        kinds=("certificates",),
        when=lambda settings: settings.tls.issuer != "secrets",
    ),
    Made(
        group="cert-manager.io",
        kinds=("issuers",),
        when=lambda settings: settings.tls.issuer in ("acme", "selfSigned"),
    ),
    Made(
        group="cilium.io",
        kinds=("ciliumnetworkpolicies",),
        when=lambda settings: settings.network.cni == "cilium",
    ),
    Made(
        group="gateway.networking.k8s.io",
        kinds=("backendtlspolicies", "httproutes"),
        when=_gateway,
    ),
    Made(group="gateway.networking.k8s.io", kinds=("referencegrants",), when=_grants),
    Made(
        group="metallb.io",
        kinds=("ipaddresspools", "l2advertisements"),
        when=lambda settings: settings.network.load_balancer == "metallb",
        home="metallb",
    ),
    Made(
        group="monitoring.coreos.com",
        kinds=("prometheusrules", "scrapeconfigs"),
        when=lambda settings: settings.monitoring.reader is not None,
    ),
    Made(group="networking.k8s.io", kinds=("networkpolicies",)),
    Made(
        group="networking.k8s.io",
        kinds=("ingresses",),
        when=lambda settings: settings.network.ingress is not None,
    ),
    Made(group="policy", kinds=("poddisruptionbudgets",), when=_runs_twice),
    Made(
        group="rbac.authorization.k8s.io",
        kinds=("clusterrolebindings", "clusterroles"),
        when=_collects_logs,
        home="cluster",
    ),
    Made(
        group="scheduling.k8s.io",
        kinds=("priorityclasses",),
        when=lambda settings: bool(priorities.own(settings)),
        home="cluster",
    ),
    Made(
        group="traefik.io",
        kinds=("serverstransports",),
        when=lambda settings: (
            settings.network.ingress is not None and settings.network.ingress.controller == "traefik"
        ),
    ),
)
"""All that any stack makes."""


def made(settings: Settings) -> frozenset[str]:
    """Kinds that a stack makes; no two groups have one of the same name."""
    return frozenset(kind for each in MADE if each.when(settings) for kind in each.kinds)
