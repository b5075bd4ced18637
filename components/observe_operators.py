"""Looks at operators of a cluster and at what its nodes are kept for. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.observe_network import Ask
from components.observe_where import Where
from model.issuers import Issuer
from model.rules.cluster_monitoring import Reader
from model.rules.cluster_operators import OperatorFacts, Taint

_TIMEOUT = 10
"""Seconds for each question."""
_KEEPS_AWAY = ("NoSchedule", "NoExecute")


def operator_facts(
    api: Any, where: Where, nodes: Sequence[Any] | None, crds: frozenset[str], ask: Ask
) -> OperatorFacts:
    """Facts about the cluster behind `api`, a client of it, with these nodes and CustomResourceDefinitions."""
    from kubernetes import client  # noqa: PLC0415 (as in observe)

    namespace, metallb = where.namespace, where.metallb
    apps: Any = client.AppsV1Api(api)
    daemon_sets = ask(
        "DaemonSets", lambda: apps.list_daemon_set_for_all_namespaces(_request_timeout=_TIMEOUT).items
    )
    issued = "issuers.cert-manager.io" in crds
    return OperatorFacts(
        issuers=ask("issuers", lambda: _issuers(client, api, namespace)) if issued else None,
        pools=ask("MetalLB's pools", lambda: _pools(client, api))
        if "ipaddresspools.metallb.io" in crds
        else None,
        readers=ask("Prometheus objects", lambda: _readers(client, api))
        if "prometheuses.monitoring.coreos.com" in crds
        else None,
        metallb=ask(
            "the version of MetalLB",
            lambda: next(
                (
                    container.image
                    for each in apps.list_namespaced_deployment(metallb, _request_timeout=_TIMEOUT).items
                    for container in each.spec.template.spec.containers
                    if "controller" in container.name
                ),
                None,
            ),
        ),
        announces_anywhere=any(
            argument.lstrip("-") in ("ignore-exclude-lb", "ignore-exclude-lb=true")
            for each in daemon_sets or ()
            if each.metadata.namespace == metallb
            for container in each.spec.template.spec.containers
            for argument in container.args or ()
        ),
        daemon_sets=None if daemon_sets is None else frozenset(each.metadata.name for each in daemon_sets),
        taints=None
        if nodes is None
        else {
            node.metadata.name: tuple(
                Taint(each.key, each.value or "", each.effect)
                for each in node.spec.taints or ()
                if each.effect in _KEEPS_AWAY and not each.key.startswith("node.kubernetes.io/")
            )
            for node in nodes
        },
    )


def _pools(client: Any, api: Any) -> Mapping[str, tuple[str, ...]]:
    found: Any = client.CustomObjectsApi(api).list_cluster_custom_object(
        "metallb.io", "v1beta1", "ipaddresspools", _request_timeout=_TIMEOUT
    )
    return {each["metadata"]["name"]: tuple(each["spec"].get("addresses") or ()) for each in found["items"]}


def _readers(client: Any, api: Any) -> tuple[Reader, ...]:
    found: Any = client.CustomObjectsApi(api).list_cluster_custom_object(
        "monitoring.coreos.com", "v1", "prometheuses", _request_timeout=_TIMEOUT
    )
    return tuple(Reader.read(each) for each in found["items"])


def _issuers(client: Any, api: Any, namespace: str) -> Mapping[str, Issuer]:
    objects: Any = client.CustomObjectsApi(api)
    kind = ("cert-manager.io", "v1")
    every = objects.list_cluster_custom_object(*kind, "clusterissuers", _request_timeout=_TIMEOUT)["items"]
    own = objects.list_namespaced_custom_object(*kind, namespace, "issuers", _request_timeout=_TIMEOUT)[
        "items"
    ]
    return {
        f"{name}/{each['metadata']['name']}": Issuer.read(each)
        for name, found in (("ClusterIssuer", every), ("Issuer", own))
        for each in found
    }
