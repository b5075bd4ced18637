"""Looks at what others have of the nodes, and at who is asked before an object is stored. Reads only."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from components.observe_network import Ask
from components.observe_where import Where
from model.budget import Room
from model.rules.cluster_admission import Webhook, watching
from model.rules.cluster_ports import HeldPort

_TIMEOUT = 10
"""Seconds for each question."""
_PAGE, _PAGES = 500, 10
"""Pods of an answer, and answers: a preview does not read more of a large cluster."""
_NOTHING = Room(0, 0)


@dataclass(frozen=True)
class Load:
    """What pods of others have of the nodes."""

    taken: Mapping[str, Room]
    """Node -> what they request there."""
    ports: tuple[HeldPort, ...]


def load(api: Any, namespaces: Iterable[str], ask: Ask) -> Load | None:
    """Of the pods that are in none of `namespaces`; None for a cluster with too many to count."""
    from kubernetes import client  # noqa: PLC0415 (as in observe)

    core: Any = client.CoreV1Api(api)
    ours = frozenset(namespaces)
    return ask("pods on the nodes", lambda: _load(core, ours))


def _load(core: Any, ours: frozenset[str]) -> Load | None:
    found: dict[str, Room] = {}
    ports: set[HeldPort] = set()
    after = ""
    for _ in range(_PAGES):
        # As JSON: objects of the client take ten times as long.
        answer = core.list_pod_for_all_namespaces(
            field_selector="status.phase!=Succeeded,status.phase!=Failed",
            limit=_PAGE,
            _continue=after,
            _preload_content=False,
            _request_timeout=_TIMEOUT,
        )
        page = json.loads(answer.data)
        for pod in page["items"]:
            node = (pod.get("spec") or {}).get("nodeName")
            ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            if node and not ended and pod["metadata"].get("namespace") not in ours:
                found[node] = _plus(found.get(node, _NOTHING), requests(pod["spec"]))
                ports.update(held(pod))
        after = (page.get("metadata") or {}).get("continue") or ""
        if not after:
            return Load(found, tuple(sorted(ports)))
    return None


def held(pod: Mapping[str, Any]) -> Iterator[HeldPort]:
    """Ports of its node that a pod has; one on the node's own network has all on which it listens."""
    spec = pod["spec"]
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    for container in (*spec["containers"], *sidecars):
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port["containerPort"] if spec.get("hostNetwork") else None)
            if number:
                yield HeldPort(
                    node=spec["nodeName"],
                    number=number,
                    protocol=port.get("protocol") or "TCP",
                    holder=_holder(pod["metadata"]),
                )


def _holder(meta: Mapping[str, Any]) -> str:
    """What keeps a pod. A Deployment does it by ReplicaSets, whose names it makes of its own and a hash."""
    keepers = (each for each in meta.get("ownerReferences") or () if each.get("controller"))
    name = str(next(keepers, meta)["name"])
    template = (meta.get("labels") or {}).get("pod-template-hash", "")
    return f"{meta.get('namespace')}/{name.removesuffix(f'-{template}')}"


def requests(spec: Mapping[str, Any]) -> Room:
    """What the scheduler counts for a pod (Kubernetes: component-helpers, resource.PodRequests).

    Containers and sidecars together, or the largest container that runs before them with the sidecars that have started;
    what the pod as a whole asks for goes first.
    """
    total, first, sidecars = _NOTHING, _NOTHING, _NOTHING
    for each in spec.get("containers") or ():
        total = _plus(total, _asked(each))
    for each in spec.get("initContainers") or ():
        if each.get("restartPolicy") == "Always":
            sidecars = _plus(sidecars, _asked(each))
            first = _most(first, sidecars)
        else:
            first = _most(first, _plus(sidecars, _asked(each)))
    total = _most(_plus(total, sidecars), first)
    whole = (spec.get("resources") or {}).get("requests") or {}
    given = _room(whole)
    total = Room(
        given.cpu if "cpu" in whole else total.cpu, given.memory if "memory" in whole else total.memory
    )
    return _plus(total, _room(spec.get("overhead") or {}))


def _asked(container: Mapping[str, Any]) -> Room:
    return _room((container.get("resources") or {}).get("requests") or {})


def _room(asked: Mapping[str, str]) -> Room:
    from kubernetes.utils import parse_quantity  # noqa: PLC0415 (as in observe)

    quantity: Callable[[str], Decimal] = parse_quantity
    cpu, memory = (quantity(asked.get(each, "0")) for each in ("cpu", "memory"))
    return Room(math.ceil(cpu * 1000), math.ceil(memory))


def _plus(one: Room, other: Room) -> Room:
    return Room(one.cpu + other.cpu, one.memory + other.memory)


def _most(one: Room, other: Room) -> Room:
    return Room(max(one.cpu, other.cpu), max(one.memory, other.memory))


def webhooks(api: Any, where: Where, ask: Ask) -> tuple[Webhook, ...] | None:
    """Who sees objects of a stack. Whether somebody answers is asked for those that could refuse them."""
    from kubernetes import client  # noqa: PLC0415 (as in observe)

    admission, slices = client.AdmissionregistrationV1Api(api), client.DiscoveryV1Api(api)

    def listed(method: Any, kind: str) -> list[Any]:
        found = json.loads(method(_preload_content=False, _request_timeout=_TIMEOUT).data)["items"]
        return [{**each, "kind": kind} for each in found]

    def found() -> tuple[Webhook, ...]:
        every = [
            *listed(admission.list_mutating_webhook_configuration, "MutatingWebhookConfiguration"),
            *listed(admission.list_validating_webhook_configuration, "ValidatingWebhookConfiguration"),
        ]
        return tuple(webhook for each in every for webhook in watching(each, where.namespace, where.metallb))

    seen = ask("admission webhooks", found)
    if seen is None:
        return None
    behind = {
        service: _ready_behind(slices, service, ask)
        for service in dict.fromkeys(each.service for each in seen if each.required)
    }
    return tuple(replace(each, answers=behind.get(each.service)) for each in seen)


def _ready_behind(slices: Any, service: str | None, ask: Ask) -> bool | None:
    return None if service is None else ask(f"pods behind {service}", lambda: _answers(slices, service))


def _answers(slices: Any, service: str) -> bool:
    namespace, _, name = service.partition("/")
    answer = slices.list_namespaced_endpoint_slice(
        namespace,
        label_selector=f"kubernetes.io/service-name={name}",
        _preload_content=False,
        _request_timeout=_TIMEOUT,
    )
    return any(_ready(json.loads(answer.data)["items"]))


def _ready(found: Iterable[Mapping[str, Any]]) -> Iterator[bool]:
    for each in found:
        for endpoint in each.get("endpoints") or ():
            # Left out, it means yes (Kubernetes: discovery/v1, EndpointConditions).
            yield (endpoint.get("conditions") or {}).get("ready") is not False
