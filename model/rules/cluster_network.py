"""Whether the stack file says of the cluster's network what the cluster says: NetworkPolicies are made of these ranges.

A wrong range closes nothing that it should close, or closes the way to names and to the API server.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from model.catalogue import cluster_network as rules
from model.catalogue import metallb
from model.findings import Finding, some
from model.rules.networks import is_private, is_too_wide
from model.settings import KubernetesApi, Settings
from model.topology import dns_addresses, edge_node, public_services
from model.topology.outside import Network, within

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_AT = "kolab:network"


@dataclass(frozen=True, kw_only=True)
class NetworkFacts:
    """What was seen of the cluster's network. None means: it could not be read."""

    node_networks: tuple[str, ...] | None = None
    """`spec.podCIDRs` of the nodes. Calico and Cilium may have an address plan of their own instead."""
    pods: frozenset[str] | None = None
    """Addresses of some pods that are not on their node's own network."""
    service_networks: tuple[str, ...] | None = None
    """ServiceCIDRs, since Kubernetes 1.33."""
    service: str | None = None
    """Address of the Service `kubernetes`."""
    api: frozenset[tuple[str, int]] | None = None
    """Address and port of each API server."""
    dns_ports: Mapping[str, frozenset[int]] | None = None
    """Pod that network.dns selects -> UDP ports that it declares."""
    dns_services: frozenset[str] | None = None
    """Addresses of the Services that answer on UDP port 53 in the namespace of network.dns."""
    node_local_dns: bool | None = None
    """Whether NodeLocal DNSCache runs, which takes over the address of the Service."""
    node_addresses: Mapping[str, str] | None = None
    """Address of a node, inside or outside of the cluster -> its name."""
    cidr_holds_nodes: bool | None = None
    """Whether Cilium is told that networks hold nodes (policy-cidr-match-mode). None without Cilium, too."""
    ipvs: bool | None = None
    """Whether kube-proxy uses IPVS. None where no kube-proxy is configured by a ConfigMap, as with k3s or Cilium."""
    strict_arp: bool | None = None
    """Whether kube-proxy keeps nodes from answering for addresses of Services (ipvs.strictARP)."""


def cluster_network(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    """Findings about ranges, names and the API server; what could not be read is not judged."""
    yield from _families(settings, facts)
    yield from _pods(settings, facts)
    yield from _services(settings, facts)
    yield from _dns(settings, facts)
    yield from _api(settings, facts)
    yield from _own_addresses(settings, facts)


def completed(settings: Settings, facts: NetworkFacts) -> Settings:
    """`settings` with the API servers that the cluster has, where the stack file names none."""
    if settings.kubernetes.api.networks or not facts.api:
        return settings
    api = KubernetesApi(
        networks=tuple(sorted({ipaddress.ip_network(address) for address, _ in facts.api}, key=str)),
        ports=tuple(sorted({port for _, port in facts.api})),
    )
    kubernetes = settings.kubernetes.model_copy(update={"api": api})
    return settings.model_copy(update={"kubernetes": kubernetes})


def pod_networks(facts: NetworkFacts) -> list[Network]:
    """Where pods are, as far as it was seen: what pods have tells more than what nodes say, which has to do without."""
    seen = [ipaddress.ip_address(each) for each in facts.pods or ()]
    plan = [ipaddress.ip_network(each) for each in facts.node_networks or ()]
    # Pods that no node's range holds have another plan than the nodes.
    used = [each for each in plan if not seen or any(pod in each for pod in seen)]
    return [*used, *map(ipaddress.ip_network, seen)]


def _pods(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    given, found = settings.network.pod_cidr, pod_networks(facts)
    same = [each for each in found if each.version == given.version]
    outside = sorted((each for each in same if not within(each, given)), key=str)
    if not outside:
        return
    whole = around(same, facts)
    if whole is not None:
        yield rules.POD_CIDR.found(given=given, found=outside[0], around=whole)
    elif len(outside) == len(same):
        yield rules.POD_CIDR_APART.found(given=given, found=some([*map(str, outside)]))
    else:
        yield rules.POD_CIDR_PARTLY.found(given=given, found=some([*map(str, outside)]))


def ipv6_first(facts: NetworkFacts) -> str | None:
    """The address of the Service `kubernetes` where Services have IPv6 addresses unless they ask for another."""
    return facts.service if facts.service and ":" in facts.service else None


def _families(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    """Services have addresses of the kinds that the API server has ranges of, the first unless they ask (Kubernetes: dual-stack)."""
    if address := ipv6_first(facts):
        yield rules.IPV6_FIRST.found(address=address)
    # Before Kubernetes 1.33 nothing tells whether there is a second range.
    elif facts.service_networks and not any(":" in each for each in facts.service_networks):
        for path, address in announced(settings):
            if ":" in address:
                yield rules.IPV4_ALONE.found(
                    path=path, address=address, found=", ".join(facts.service_networks)
                )


def _services(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    """The Service `kubernetes` has the first address of its range, always (kubernetes: pkg/controlplane)."""
    given, service = settings.network.service_cidr, ipaddress.ip_address(facts.service or "::")
    if facts.service is None or service.version != given.version:
        return
    known = [ipaddress.ip_network(each) for each in facts.service_networks or ()]
    whole = next((each for each in known if service in each), None)
    if whole is not None and whole != given:
        yield rules.SERVICE_CIDR_KNOWN.found(given=given, whole=whole)
    elif given.num_addresses < 2 or service != given[1]:
        yield rules.SERVICE_CIDR.found(given=given, service=service)


def _dns(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    dns, asked = settings.network.dns, dns_addresses(settings)
    if facts.dns_ports is not None and not facts.dns_ports:
        yield rules.DNS_UNKNOWN.found(namespace=dns.namespace)
    others = {
        pod: ports for pod, ports in (facts.dns_ports or {}).items() if ports and not ports & {*dns.ports}
    }
    if others:
        pod = min(others)
        yield rules.DNS_PORTS.found(given=_listed(dns.ports), pod=pod, found=_listed(sorted(others[pod])))
    missing = sorted((facts.dns_services or frozenset()) - {*asked})
    if facts.node_local_dns and missing:
        yield rules.DNS_ADDRESSES.found(missing=missing[0], addresses=_listed((*missing, *asked)))


def _api(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    if not settings.monitoring.enabled or facts.api is None:
        return
    api = settings.kubernetes.api
    if not api.networks and not facts.api:
        yield rules.API_UNKNOWN.found()
    left_out = [
        (address, port)
        for address, port in sorted(facts.api if api.networks else ())
        if port not in api.ports or not any(ipaddress.ip_address(address) in each for each in api.networks)
    ]
    for address, port in left_out[:1]:
        yield rules.API_ELSEWHERE.found(address=address, port=port)


def _own_addresses(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    """Addresses for MetalLB that nodes have already. Where all public pods are on that node, nothing is lost by it."""
    nodes = facts.node_addresses or {}
    for path, address in announced(settings):
        node = nodes.get(address)
        if node is None:
            continue
        alone = settings.single_node and (node == edge_node(settings) or {*nodes.values()} == {node})
        if alone:
            yield metallb.ADDRESS_OF_THE_NODE.found(path=path, address=address, node=node)
        else:
            yield metallb.ADDRESS_OF_A_NODE.found(path=path, address=address, node=node)


def announced(settings: Settings) -> Iterator[tuple[str, str]]:
    """Key and address of each that MetalLB is to announce; none where pods open their ports themselves."""
    if settings.network.load_balancer != "metallb":
        return
    given = settings.network.addresses
    for service in ("all",) if settings.single_node else public_services(settings):
        yield from ((f"{_AT}.addresses.{service}", str(address)) for address in given.of(service))


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def around(networks: Sequence[Network], facts: NetworkFacts) -> Network | None:
    """The smallest network that holds them all, which are of one IP version; None where that is none for pods alone.

    Such a network is private, of a size that clusters have, and without Services.
    """
    whole = networks[0]
    while not all(within(each, whole) for each in networks):
        whole = whole.supernet()
    services = [ipaddress.ip_network(each) for each in facts.service_networks or [facts.service] if each]
    apart = not any(each.version == whole.version and each.overlaps(whole) for each in services)
    return whole if apart and is_private(whole) and not is_too_wide(whole) else None
