"""Its nodes, networks, DNS, API servers, and the plugin that closes pods off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from model.cluster_page.row import Row, some, unknown
from model.rules.cluster import ClusterFacts, untried
from model.rules.cluster_cni import CILIUM, enforces_nothing, plugins
from model.rules.cluster_network import NetworkFacts, around, ipv6_first, pod_networks
from model.settings import ClusterDns, KubernetesApi, Networking

_DNS_PORTS = (53, 1053, 5353, 8053, 10053)
"""Where CoreDNS listens in clusters that are known; it has ports for its health as well."""


def networks(facts: ClusterFacts, dns: ClusterDns) -> Iterator[Row]:
    """In the order in which a stack file asks for them. `dns` is where its DNS was looked for."""
    yield _version(facts)
    yield from _nodes(facts)
    yield from _ranges(facts)
    yield _dns(facts, dns)
    yield _api(facts)
    yield from _plugin(facts)


def _version(facts: ClusterFacts) -> Row:
    if facts.version is None:
        return unknown("Kubernetes")
    then = untried(facts.version)
    return Row(about="Kubernetes", seen=facts.version, verdict="say" if then else "fits", then=then)


def _nodes(facts: ClusterFacts) -> Iterator[Row]:
    if facts.nodes is None:
        yield unknown("nodes")
        return
    yield Row(about="nodes", seen=some(sorted(facts.nodes)), verdict="fits" if facts.nodes else "missing")
    taints = {
        f"{taint.key}={taint.value}:{taint.effect}": taint
        for found in (facts.operators.taints or {}).values()
        for taint in found
    }
    whole = all((facts.operators.taints or {}).get(node) for node in facts.nodes)
    for text, taint in sorted(taints.items()):
        entry = {"key": taint.key, "effect": taint.effect}
        entry |= {"value": taint.value} if taint.value else {"operator": "Exists"}
        yield Row(
            about="taint",
            seen=text,
            verdict="say" if whole else "fits",
            then="every node keeps our pods away" if whole else "pods of the stack keep away from such nodes",
            write={"kubernetes.tolerations": [entry]} if whole and len(taints) == 1 else {},
        )


def _ranges(facts: ClusterFacts) -> Iterator[Row]:
    network = facts.network
    if address := ipv6_first(network):
        then = "daemons listen on IPv4: take a cluster of IPv4, or of both with IPv4 first"
        yield Row(about="Services' network", seen=f"IPv6 first ({address})", verdict="missing", then=then)
        return
    yield _pods(network)
    services = next((each for each in network.service_networks or () if ":" not in each), None)
    if services is None:
        seen = f"the Service kubernetes has {network.service}" if network.service else "could not be read"
        then = "the API server's --service-cluster-ip-range belongs into network.serviceCidr"
        yield Row(about="Services' network", seen=seen, verdict="unknown", then=then)
    else:
        yield _setting("Services' network", "network.serviceCidr", services, str(_default("service_cidr")))


def _pods(network: NetworkFacts) -> Row:
    v4 = [each for each in pod_networks(network) if each.version == 4]
    if not v4:
        return unknown("pods' network")
    found = around(v4, network)
    if found is None:
        then = "no private network for pods alone holds them together: give the stack's namespace addresses of one (network.podCidr)"
        return Row(about="pods' network", seen=some(sorted(map(str, v4))), verdict="say", then=then)
    # A pod's address alone tells too little: plugins hand out a /16 or more, as a rule.
    wide = found.supernet(new_prefix=16) if found.prefixlen > 16 else found
    return _setting(
        "pods' network", "network.podCidr", str(around([wide], network) or found), str(_default("pod_cidr"))
    )


def _dns(facts: ClusterFacts, dns: ClusterDns) -> Row:
    found = facts.network.dns_ports
    if found is None:
        return unknown("DNS")
    if not found:
        then = "name its pods in network.dns (namespace, labels, ports)"
        return Row(about="DNS", seen="no pod of it where it usually is", verdict="say", then=then)
    ports = sorted({port for pod in found.values() for port in pod if port in _DNS_PORTS} or {53})
    write: dict[str, Any] = {}
    if dns != ClusterDns():
        labels = {key: list(values) if len(values) > 1 else values[0] for key, values in dns.labels.items()}
        write |= {"network.dns.namespace": dns.namespace, "network.dns.labels": labels}
    if ports != [53]:
        write["network.dns.ports"] = ports
    cache = ", NodeLocal DNSCache before it" if facts.network.node_local_dns else ""
    seen = f"{len(found)} pods in {dns.namespace}, port {', '.join(map(str, ports))}{cache}"
    return Row(about="DNS", seen=seen, verdict="say" if write else "fits", write=write)


def _api(facts: ClusterFacts) -> Row:
    found = facts.network.api
    if found is None:
        return unknown("API servers")
    ports = sorted({port for _, port in found})
    seen = some([f"{address}:{port}" for address, port in sorted(found)])
    known = set(ports) <= {*KubernetesApi().ports}
    write = {} if known else {"kubernetes.api.ports": ports}
    return Row(
        about="API servers", seen=seen or "none are named", verdict="fits" if known else "say", write=write
    )


def _plugin(facts: ClusterFacts) -> Iterator[Row]:
    if facts.crds is not None and CILIUM in facts.crds:
        if facts.network.cidr_holds_nodes:
            yield Row(about="network plugin", seen="Cilium, whose networks hold nodes", verdict="fits")
        else:
            yield Row(about="network plugin", seen="Cilium", verdict="say", write={"network.cni": "cilium"})
    elif facts.operators.daemon_sets is None:
        yield unknown("network plugin")
    else:
        nothing = enforces_nothing(facts.operators.daemon_sets)
        yield Row(
            about="network plugin",
            seen=", ".join(plugins(facts.operators.daemon_sets))
            or "none that is a DaemonSet (k3s has its own)",
            verdict="missing" if nothing else "fits",
            then="it enforces no NetworkPolicy: add one that does" if nothing else "",
        )
    if facts.network.ipvs is not None:
        loose = facts.network.ipvs and facts.network.strict_arp is False
        seen = f"mode {'ipvs' if facts.network.ipvs else 'iptables or nftables'}"
        yield Row(
            about="kube-proxy",
            seen=f"{seen} without strictARP" if loose else seen,
            verdict="missing" if loose else "fits",
            then="set ipvs.strictARP: true, or nodes answer for MetalLB's addresses" if loose else "",
        )


def _setting(about: str, path: str, found: str, default: str) -> Row:
    if found == default:
        return Row(about=about, seen=found, verdict="fits")
    return Row(about=about, seen=found, verdict="say", write={path: found})


def _default(name: str) -> Any:
    return Networking.model_fields[name].default
