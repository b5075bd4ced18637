"""Whether the plugin that closes pods off, and kube-proxy, do what the stack counts on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from model.catalogue import cluster_network as rules
from model.catalogue import metallb
from model.findings import Finding
from model.rules.cluster_network import NetworkFacts
from model.settings import Settings
from model.types import Networks

CILIUM = "ciliumnetworkpolicies.cilium.io"
"""The CustomResourceDefinition that tells that Cilium is there."""
_PLUGINS = {
    "cilium": "Cilium",
    "calico-node": "Calico",
    "canal": "Canal",
    "rke2-canal": "Canal",
    "kube-router": "kube-router",
    "antrea-agent": "Antrea",
    "ovnkube-node": "OVN-Kubernetes",
    "kube-ovn-cni": "Kube-OVN",
    "weave-net": "Weave Net",
    "aws-node": "the AWS VPC CNI",
    "azure-npm": "Azure NPM",
    "kube-flannel-ds": "flannel",
    "kube-flannel": "flannel",
    "kindnet": "kindnet",
}
"""DaemonSet -> the plugin whose it is. k3s has its own inside of its one process."""
_ENFORCES_NONE = "flannel"


def plugins(daemon_sets: frozenset[str]) -> tuple[str, ...]:
    """Network plugins of a cluster with these DaemonSets; none where they are no DaemonSets, as with k3s."""
    return tuple(sorted({_PLUGINS[name] for name in daemon_sets if name in _PLUGINS}))


def enforces_nothing(daemon_sets: frozenset[str]) -> bool:
    """Whether the only plugin is one that lets every pod talk to every other."""
    return plugins(daemon_sets) == (_ENFORCES_NONE,)


def cluster_cni(
    settings: Settings, crds: frozenset[str] | None, daemon_sets: frozenset[str] | None, facts: NetworkFacts
) -> Iterator[Finding]:
    """Findings about the plugin and kube-proxy; what could not be read is not judged."""
    given = settings.network.cni
    if daemon_sets is not None and enforces_nothing(daemon_sets):
        yield rules.CNI_ENFORCES_NOTHING.found()
    if crds is not None and given == "standard" and CILIUM in crds and not facts.cidr_holds_nodes:
        yield rules.CNI_CILIUM.found()
    if crds is not None and given == "cilium" and CILIUM not in crds:
        yield rules.CNI_OTHER.found()
    if given == "cilium" and facts.cidr_holds_nodes is False:
        yield from _peers_on_nodes(settings, facts)
    if settings.network.load_balancer == "metallb" and facts.ipvs and facts.strict_arp is False:
        yield metallb.STRICT_ARP.found()


def _peers_on_nodes(settings: Settings, facts: NetworkFacts) -> Iterator[Finding]:
    for path, networks in _listed(settings):
        for address, node in sorted((facts.node_addresses or {}).items()):
            if any(ipaddress.ip_address(address) in network for network in networks):
                yield rules.CNI_PEER_ON_NODE.found(path=path, node=node, address=address)
                break


def _listed(settings: Settings) -> Iterator[tuple[str, Networks]]:
    """Networks of peers that may be servers of the company, and so nodes."""
    external, network = settings.external, settings.network
    engines = (("database", external.database), ("redis", external.redis), ("s3", external.s3))
    yield from ((f"kolab:external.{name}.cidr", (engine.cidr,)) for name, engine in engines if engine)
    if network.egress and network.egress.smarthost:
        yield "kolab:network.egress.networks", network.egress.smarthost.networks
    yield "kolab:network.internalPeers.web", network.internal_peers.web
    yield "kolab:network.internalPeers.smtp", network.internal_peers.smtp
    if settings.backup:
        yield "kolab:backup.repository.networks", settings.backup.repository.networks
