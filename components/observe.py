"""Looks at the cluster before anything is planned on it. Reads only, and says so where it may not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from components.observe_gateways import gateway_facts
from components.observe_load import load, webhooks
from components.observe_network import declared_ports, network_facts
from components.observe_operators import operator_facts
from components.observe_where import Where
from model.budget import Room, thousandths
from model.cluster_page import KNOWN_DNS
from model.rules.cluster import ClusterFacts
from model.rules.cluster_priorities import PriorityClass
from model.types import bytes_of

_TIMEOUT = 10
"""Seconds for each question: a preview must not hang on a cluster that is away."""

_DEFAULT_CLASS = tuple(f"storageclass.{each}kubernetes.io/is-default-class" for each in ("", "beta."))
"""Annotations of a class that volumes without a class get (Kubernetes: pkg/apis/storage/util)."""

_T = TypeVar("_T")


def observe(where: Where, warn: Callable[[str], None]) -> ClusterFacts:
    """Facts about a cluster; empty ones if it does not answer. `warn` is told what could not be looked at."""
    from kubernetes import client, config  # noqa: PLC0415 (costs half a second, and rendering does without)
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415
    from urllib3 import Retry  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        api: Any = config.new_client_from_config(context=where.context)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError) as error:
        warn(f"the cluster was not looked at: {error}")
        return ClusterFacts()
    # One that is away would be waited for four times.
    api.rest_client.pool_manager.connection_pool_kw["retries"] = Retry(0)

    def ask(what: str, question: Callable[[], _T]) -> _T | None:
        try:
            return question()
        except ApiException as error:
            warn(f"{what} were not looked at: the cluster answered {error.status} {error.reason}")
        except (HTTPError, OSError):
            warn(f"{what} were not looked at: the cluster does not answer")
        except ValueError:
            warn(f"{what} were not looked at: the cluster's answer cannot be read")
        return None

    def items(method: Callable[..., Any], *arguments: str) -> Any:
        return method(*arguments, _request_timeout=_TIMEOUT).items

    def names(method: Callable[..., Any]) -> frozenset[str]:
        return frozenset(item.metadata.name for item in items(method))

    crds = ask(
        "CustomResourceDefinitions",
        lambda: names(client.ApiextensionsV1Api(api).list_custom_resource_definition),
    )
    if crds is None:
        return ClusterFacts()
    core: Any = client.CoreV1Api(api)
    storage: Any = client.StorageV1Api(api)
    system: Any = client.AppsV1Api(api).list_namespaced_daemon_set
    nodes = ask("nodes", lambda: items(core.list_node))
    others = load(api, (where.namespace, f"{where.namespace}-logs"), ask)
    return ClusterFacts(
        version=ask(
            "its version numbers",
            lambda: client.VersionApi(api).get_code(_request_timeout=_TIMEOUT).git_version,
        ),
        crds=crds,
        nodes=None if nodes is None else {n.metadata.name: n.metadata.labels or {} for n in nodes},
        rooms=None if nodes is None else _rooms(nodes),
        taken=None if others is None else others.taken,
        held_ports=None if others is None else others.ports,
        webhooks=webhooks(api, where, ask),
        service_lb=ask(
            "load balancers",
            lambda: any(d.metadata.name.startswith("svclb-") for d in items(system, "kube-system")),
        ),
        ingress_classes=ask(
            "ingress classes",
            lambda: {
                c.metadata.name: c.spec.controller or ""
                for c in items(client.NetworkingV1Api(api).list_ingress_class)
            },
        ),
        storage_classes=ask(
            "storage classes",
            lambda: {
                s.metadata.name: any(
                    (s.metadata.annotations or {}).get(each) == "true" for each in _DEFAULT_CLASS
                )
                for s in items(storage.list_storage_class)
            },
        ),
        priority_classes=ask(
            "priority classes",
            lambda: {
                p.metadata.name: PriorityClass(p.value, bool(p.global_default))
                for p in items(client.SchedulingV1Api(api).list_priority_class)
            },
        ),
        controllers=None
        if where.controllers is None
        else ask(
            f"pods of {where.controllers}",
            lambda: _serving(items(core.list_namespaced_pod, str(where.controllers))),
        ),
        network=network_facts(api, where.dns, nodes, ask),
        operators=operator_facts(api, where, nodes, crds, ask),
        gateways=gateway_facts(api, crds, ask),
    )


def _rooms(nodes: Sequence[Any]) -> dict[str, Room]:
    """What the nodes offer that take new pods; none unless all of them say it."""
    open_ones = [node for node in nodes if not (node.spec and node.spec.unschedulable)]
    offered = {node.metadata.name: (node.status and node.status.allocatable) or {} for node in open_ones}
    try:
        return {
            name: Room(thousandths(found["cpu"]), bytes_of(found["memory"]))
            for name, found in offered.items()
        }
    except (KeyError, ValueError):
        return {}


def _serving(pods: Sequence[Any]) -> dict[str, frozenset[int]]:
    """Address -> TCP ports. Those of k3s' ServiceLB hand connections on and speak to no proxy; pods on one node's network share its address."""
    found: dict[str, frozenset[int]] = {}
    for pod in pods:
        address, lives = pod.status.pod_ip, pod.status.phase == "Running"
        if address and lives and not pod.metadata.name.startswith("svclb-"):
            found[address] = found.get(address, frozenset()) | declared_ports(pod, "TCP")
    return found


def look_around(where: Where, warn: Callable[[str], None]) -> tuple[ClusterFacts, Where]:
    """What is seen of a cluster of which no stack file speaks: its DNS is looked for wherever clusters keep it."""
    facts = observe(where, warn)
    if facts.network.dns_ports != {}:
        return facts, where
    for dns in KNOWN_DNS[1:]:
        other = replace(where, dns=dns)
        seen = observe(other, lambda _: None)
        if seen.network.dns_ports:
            return seen, other
    return facts, where
