"""Looks at the network of a cluster: where its pods, Services, DNS and API servers are. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import yaml

from model import topology
from model.rules.cluster_network import NetworkFacts
from model.settings import ClusterDns

_TIMEOUT = 10
"""Seconds for each question."""
_SOME = 200
"""Pods that tell where pods are; a large cluster has too many to ask for all of them at each preview."""
_NOT_THERE = 404

_T = TypeVar("_T")


class Ask(Protocol):
    """Asks one question; None, and a warning that names it, if the cluster does not answer it."""

    def __call__(self, what: str, question: Callable[[], _T]) -> _T | None: ...


def network_facts(api: Any, dns: ClusterDns, nodes: Sequence[Any] | None, ask: Ask) -> NetworkFacts:
    """Facts about the cluster behind `api`, a client of it. `dns` is where its DNS should be, `nodes` are its nodes."""
    from kubernetes import client  # noqa: PLC0415 (as in observe)

    core: Any = client.CoreV1Api(api)
    slices: Any = client.DiscoveryV1Api(api)
    system: Any = client.AppsV1Api(api).list_namespaced_daemon_set

    def items(method: Callable[..., Any], *arguments: str, **more: Any) -> Any:
        return method(*arguments, _request_timeout=_TIMEOUT, **more).items

    selector = ",".join(f"{key} in ({','.join(values)})" for key, values in sorted(dns.labels.items()))
    config = ask("kube-proxy", lambda: _kube_proxy(client, core))
    pods = ask("addresses of pods", lambda: items(core.list_pod_for_all_namespaces, limit=_SOME))
    return NetworkFacts(
        node_networks=None
        if nodes is None
        else tuple(cidr for node in nodes for cidr in node.spec.pod_cidrs or ()),
        pods=None if pods is None else frozenset(_addresses(pods)),
        service_networks=ask("networks of Services", lambda: _service_networks(client, api)),
        service=ask(
            "the Service kubernetes",
            lambda: (
                core.read_namespaced_service(
                    "kubernetes", "default", _request_timeout=_TIMEOUT
                ).spec.cluster_ip
            ),
        ),
        api=ask(
            "addresses of the API servers",
            lambda: frozenset(
                (address, port.port)
                for each in items(
                    slices.list_namespaced_endpoint_slice,
                    "default",
                    label_selector="kubernetes.io/service-name=kubernetes",
                )
                for endpoint in each.endpoints or ()
                for address in endpoint.addresses or ()
                for port in each.ports or ()
                if port.port
            ),
        ),
        dns_ports=ask(
            "pods of the cluster's DNS",
            lambda: {
                pod.metadata.name: declared_ports(pod, "UDP")
                for pod in items(core.list_namespaced_pod, dns.namespace, label_selector=selector)
            },
        ),
        dns_services=ask(
            "Services of the cluster's DNS",
            lambda: frozenset(
                service.spec.cluster_ip
                for service in items(core.list_namespaced_service, dns.namespace)
                if service.spec.cluster_ip not in (None, "", "None")
                and any(
                    port.port == topology.DNS_PORT and port.protocol == "UDP"
                    for port in service.spec.ports or ()
                )
            ),
        ),
        node_local_dns=ask(
            "NodeLocal DNSCache",
            lambda: any(
                "node-local-dns" in each.metadata.name or "nodelocaldns" in each.metadata.name
                for each in items(system, "kube-system")
            ),
        ),
        node_addresses=None
        if nodes is None
        else {
            each.address: node.metadata.name
            for node in nodes
            for each in (node.status.addresses if node.status else None) or ()
            if each.type in ("InternalIP", "ExternalIP")
        },
        cidr_holds_nodes=ask("Cilium's configuration", lambda: _cidr_holds_nodes(client, core)),
        ipvs=None if config is None else config.get("mode") == "ipvs",
        strict_arp=None if config is None else bool((config.get("ipvs") or {}).get("strictARP")),
    )


def _config_map(client: Any, core: Any, name: str) -> dict[str, str] | None:
    """A ConfigMap of kube-system; None if there is none."""
    try:
        return core.read_namespaced_config_map(name, "kube-system", _request_timeout=_TIMEOUT).data or {}
    except client.exceptions.ApiException as error:
        if error.status == _NOT_THERE:
            return None
        raise


def _cidr_holds_nodes(client: Any, core: Any) -> bool | None:
    found = _config_map(client, core, "cilium-config")
    return None if found is None else "nodes" in (found.get("policy-cidr-match-mode") or "").split()


def _kube_proxy(client: Any, core: Any) -> Mapping[str, Any] | None:
    """KubeProxyConfiguration as kubeadm keeps it."""
    found = _config_map(client, core, "kube-proxy")
    try:
        read = yaml.safe_load((found or {}).get("config.conf") or "")
    except yaml.YAMLError:
        return None
    return read if isinstance(read, dict) else None


def _addresses(pods: Iterable[Any]) -> Iterable[str]:
    """A pod on its node's own network has the node's address; an ended one may have given its own away."""
    return (
        pod.status.pod_ip
        for pod in pods
        if pod.status.pod_ip and not pod.spec.host_network and pod.status.phase in ("Running", "Pending")
    )


def declared_ports(pod: Any, protocol: str) -> frozenset[int]:
    """Ports of a protocol on which its containers say that they listen."""
    return frozenset(
        port.container_port
        for container in pod.spec.containers
        for port in container.ports or ()
        if (port.protocol or "TCP") == protocol
    )


def _service_networks(client: Any, api: Any) -> tuple[str, ...] | None:
    """None before Kubernetes 1.33, or where the client does not know the kind."""
    method = getattr(client.NetworkingV1Api(api), "list_service_cidr", None)
    if method is None:
        return None
    try:
        found = method(_request_timeout=_TIMEOUT).items
    except client.exceptions.ApiException as error:
        if error.status == _NOT_THERE:
            return None
        raise
    return tuple(cidr for each in found for cidr in each.spec.cidrs or ())
