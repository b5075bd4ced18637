"""Whether somebody whom the cluster asks about every object of the stack is there to answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.catalogue import cluster as rules
from model.findings import Finding, some
from model.made import MADE, Made, made
from model.selectors import of_namespace, selects
from model.settings import Metallb, Settings

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
    """Of those that stacks make, the ones that it sees."""
    service: str | None
    """`namespace/name` of what answers; None for a URL."""
    required: bool
    """Whether an object is refused when it does not answer (failurePolicy: Fail)."""
    conditional: bool = False
    """Whether it is asked about some of these objects only (matchConditions), and nobody here can tell which."""
    answers: bool | None = None
    """Whether a pod is ready behind the Service; None: not looked at."""


def watching(
    configuration: Mapping[str, Any], namespace: str, metallb: str = Metallb().namespace
) -> Iterator[Webhook]:
    """What a configuration of webhooks has to do with objects of a stack in `namespace`, and in MetalLB's (Kubernetes:
    admissionregistration/v1)."""
    meta = configuration["metadata"]
    homes = {"stack": of_namespace(namespace), "metallb": {"kubernetes.io/metadata.name": metallb}}
    for each in configuration.get("webhooks") or ():
        spaces = each.get("namespaceSelector") or {}
        # What is in no namespace is shown to a webhook whatever namespaces it chooses.
        chosen = {home: selects(spaces, labels) for home, labels in homes.items()} | {"cluster": True}
        groups = [one for one in MADE if chosen[one.home]]
        kinds = tuple(
            dict.fromkeys(kind for rule in each.get("rules") or () for kind in _kinds(rule, groups))
        )
        if not (kinds and selects(each.get("objectSelector") or {}, _LABELS)):
            continue
        service = (each.get("clientConfig") or {}).get("service")
        yield Webhook(
            name=each["name"],
            configuration=f"{configuration['kind'].lower()} {meta['name']}",
            kinds=kinds,
            service=f"{service['namespace']}/{service['name']}" if service else None,
            required=(each.get("failurePolicy") or "Fail") == "Fail",
            conditional=bool(each.get("matchConditions")),
        )


def cluster_admission(settings: Settings, webhooks: tuple[Webhook, ...] | None) -> Iterator[Finding]:
    """Findings about webhooks that would refuse what this stack makes; what could not be read is not judged."""
    for each in webhooks or ():
        kinds = seen(each, settings)
        if not (silent(each) and kinds):
            continue
        if each.conditional:
            yield rules.WEBHOOK_SILENT_PERHAPS.found(
                kinds=shown(kinds), name=each.name, service=each.service, configuration=each.configuration
            )
        else:
            yield rules.WEBHOOK_SILENT.found(
                kinds=shown(kinds), name=each.name, service=each.service, configuration=each.configuration
            )


def seen(webhook: Webhook, settings: Settings) -> tuple[str, ...]:
    """Kinds that a stack makes and a webhook sees."""
    ours = made(settings)
    return tuple(kind for kind in webhook.kinds if kind in ours)


def silent(webhook: Webhook) -> bool:
    """Whether it refuses what it is asked about, since nobody answers."""
    return webhook.required and webhook.answers is False


def shown(kinds: Sequence[str]) -> str:
    """The first of them."""
    return some(kinds, _SHOWN)


def _kinds(rule: Mapping[str, Any], groups: Iterable[Made]) -> Iterator[str]:
    """Of `groups`, those that a rule is about."""
    if not {"*", "CREATE", "UPDATE"} & {*(rule.get("operations") or ())}:
        return
    asked, resources = {*(rule.get("apiGroups") or ())}, {*(rule.get("resources") or ())}
    everything, scope = bool({"*", "*/*"} & resources), rule.get("scope") or "*"
    for each in groups:
        for kind in each.kinds if {"*", each.group} & asked else ():
            whole = each.home == "cluster" or kind == "namespaces"
            if (everything or kind in resources) and scope in ("*", "Cluster" if whole else "Namespaced"):
                yield kind
