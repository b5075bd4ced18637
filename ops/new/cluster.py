"""A look at a cluster through the kubeconfig: reads only, waits seconds, and says what it could not read."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

_TIMEOUT = 5
"""Seconds for each question."""
_T = TypeVar("_T")


def contexts() -> list[str]:
    """Names of the kubeconfig's contexts; none when there is no kubeconfig that can be read."""
    from kubernetes import config  # noqa: PLC0415 (costs half a second)

    read: Any = config.list_kube_config_contexts
    try:
        listed = read()
    except (config.ConfigException, OSError, ValueError, TypeError):
        return []
    return [entry["name"] for entry in listed[0] or ()]


@dataclass
class Seen:
    """What a cluster shows."""

    nodes: tuple[str, ...] = ()
    external: dict[str, str] = field(default_factory=dict)
    pools: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    storage_classes: tuple[str, ...] = ()
    pod_cidr: str = ""
    service_cidr: str = ""
    unread: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """What was seen, for the person who answers."""
        for what, found in (
            ("nodes", self.nodes),
            ("MetalLB pools", self.pools),
            ("ClusterIssuers", self.issuers),
            ("storage classes", self.storage_classes),
            ("pods' network", (self.pod_cidr,)),
            ("Services' network", (self.service_cidr,)),
        ):
            if any(found):
                yield f"{what}: {', '.join(found)}"
        if self.unread:
            yield f"could not look up: {', '.join(self.unread)}; answer what you know"


def look(context: str) -> Seen:
    """What the cluster behind `context` shows. Raises nothing."""
    from kubernetes import client, config  # noqa: PLC0415
    from urllib3 import Retry  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    seen = Seen()
    try:
        api: Any = config.new_client_from_config(context=context)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError, ValueError) as error:
        seen.unread.append(f"the cluster ({type(error).__name__})")
        return seen
    api.rest_client.pool_manager.connection_pool_kw["retries"] = Retry(0)

    def ask(what: str, question: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return question()
        except (client.ApiException, HTTPError, OSError, ValueError, LookupError, AttributeError, TypeError):
            seen.unread.append(what)
            return otherwise

    def custom(group: str, version: str, plural: str) -> list[Any]:
        answer: Any = client.CustomObjectsApi(api).list_cluster_custom_object(
            group, version, plural, _request_timeout=_TIMEOUT
        )
        return list(answer["items"])

    nodes: list[Any] = ask(
        "nodes", lambda: client.CoreV1Api(api).list_node(_request_timeout=_TIMEOUT).items, []
    )
    if not nodes and seen.unread:
        # It does not answer, or tells this user nothing: the other questions would only wait.
        seen.unread = ["the cluster, which does not answer or tells this user nothing"]
        return seen
    seen.nodes = tuple(sorted(node.metadata.name for node in nodes))
    seen.external = {n.metadata.name: a for n in nodes for a in _public(n)[:1]}
    seen.pod_cidr = _around([cidr for n in nodes for cidr in (n.spec.pod_cidr,) if cidr])
    storage: Any = client.StorageV1Api(api)
    seen.storage_classes = ask(
        "storage classes",
        lambda: tuple(
            item.metadata.name for item in storage.list_storage_class(_request_timeout=_TIMEOUT).items
        ),
        (),
    )
    seen.pools = ask(
        "MetalLB pools",
        lambda: tuple(
            a for p in custom("metallb.io", "v1beta1", "ipaddresspools") for a in p["spec"]["addresses"]
        ),
        (),
    )
    seen.issuers = ask(
        "ClusterIssuers",
        lambda: tuple(i["metadata"]["name"] for i in custom("cert-manager.io", "v1", "clusterissuers")),
        (),
    )
    seen.service_cidr = ask(
        "Services' network",
        lambda: next(
            iter(
                [
                    cidr
                    for entry in custom("networking.k8s.io", "v1", "servicecidrs")
                    for cidr in entry["spec"]["cidrs"]
                    if ":" not in cidr
                ]
            ),
            "",
        ),
        "",
    )
    return seen


def _public(node: Any) -> list[str]:
    """Public IPv4 addresses that the cluster knows of a node."""
    found = [a.address for a in node.status.addresses or () if a.type in ("ExternalIP", "InternalIP")]
    return [text for text in found if ":" not in text and ipaddress.ip_address(text).is_global]


def _around(cidrs: list[str]) -> str:
    """The network of all pods, from the shares of the nodes: at least a /16, as every usual CNI gives it."""
    networks = [ipaddress.IPv4Network(cidr) for cidr in cidrs if ":" not in cidr]
    if not networks:
        return ""
    whole = networks[0].supernet(new_prefix=min(16, networks[0].prefixlen))
    while not all(network.subnet_of(whole) for network in networks):
        whole = whole.supernet()
    return str(whole)
