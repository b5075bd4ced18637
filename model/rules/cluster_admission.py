"""Whether somebody whom the cluster asks about every object of the stack is there to answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model.catalogue import cluster as rules
from model.findings import Finding, some
from model.selectors import of_namespace, selects
from model.settings import Settings

OURS = {
    "": (
        "namespaces",
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "secrets",
        "serviceaccounts",
        "services",
    ),
    "apps": ("daemonsets", "deployments", "statefulsets"),
    "batch": ("cronjobs", "jobs"),
    "cert-manager.io": ("certificates", "issuers"),
    "gateway.networking.k8s.io": ("backendtlspolicies", "httproutes", "referencegrants"),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
    "rbac.authorization.k8s.io": ("clusterrolebindings", "clusterroles"),
}
"""Group -> kinds that a stack makes in its namespaces, in the words of the API."""
_LABELS = {"app.kubernetes.io/part-of": "kolab", "app.kubernetes.io/instance": "kolab"}
"""Labels of every object."""
_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A webhook that is asked about objects of the stack before they are stored."""

    name: str
    configuration: str
    """Kind and name of the object that registers it."""
    kinds: tuple[str, ...]
    """Of ours, those that it sees."""
    service: str | None
    """`namespace/name` of what answers; None for a URL."""
    required: bool
    """Whether an object is refused when it does not answer (failurePolicy: Fail)."""
    answers: bool | None = None
    """Whether a pod is ready behind the Service; None: not looked at."""


def watching(configuration: Mapping[str, Any], namespace: str) -> Iterator[Webhook]:
    """What a configuration of webhooks has to do with a namespace of the stack (Kubernetes: admissionregistration/v1)."""
    meta = configuration["metadata"]
    for each in configuration.get("webhooks") or ():
        kinds = tuple(dict.fromkeys(kind for rule in each.get("rules") or () for kind in _kinds(rule)))
        chosen = selects(each.get("namespaceSelector") or {}, of_namespace(namespace))
        if not (kinds and chosen and selects(each.get("objectSelector") or {}, _LABELS)):
            continue
        service = (each.get("clientConfig") or {}).get("service")
        yield Webhook(
            name=each["name"],
            configuration=f"{configuration['kind'].lower()} {meta['name']}",
            kinds=kinds,
            service=f"{service['namespace']}/{service['name']}" if service else None,
            required=(each.get("failurePolicy") or "Fail") == "Fail",
        )


def cluster_admission(settings: Settings, webhooks: tuple[Webhook, ...] | None) -> Iterator[Finding]:
    """Findings about webhooks that would refuse everything; what could not be read is not judged."""
    for each in webhooks or ():
        if silent(each):
            yield rules.WEBHOOK_SILENT.found(
                namespace=settings.kubernetes.namespace,
                kinds=shown(each),
                name=each.name,
                service=each.service,
                configuration=each.configuration,
            )


def silent(webhook: Webhook) -> bool:
    """Whether it refuses everything, since nobody answers."""
    return webhook.required and webhook.answers is False


def shown(webhook: Webhook) -> str:
    """Kinds of ours that it sees."""
    return some(webhook.kinds, _SHOWN)


def _kinds(rule: Mapping[str, Any]) -> Iterator[str]:
    if not {"*", "CREATE", "UPDATE"} & {*(rule.get("operations") or ())}:
        return
    groups, resources = {*(rule.get("apiGroups") or ())}, {*(rule.get("resources") or ())}
    everything = bool({"*", "*/*"} & resources)
    for group, kinds in OURS.items():
        if {"*", group} & groups:
            yield from (kind for kind in kinds if everything or kind in resources)
