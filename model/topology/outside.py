"""Peers that are no pods of ours: the world, the cluster's DNS, engines of somebody else.

Some networks judge a connection by the address that was dialled, others by the pod or node that kube-proxy has
chosen behind it (the NetworkPolicy API leaves that open). So each peer here is right for both.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from model.settings import Backup, ExternalS3, Settings
from model.topology.addresses import load_balancer_addresses, public_addresses
from model.topology.daemons import Daemon, Port, resolver
from model.topology.sending import smarthost
from model.urls import SECRET

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

INSIDE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host (RFC 1122)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # behind a carrier's NAT (RFC 6598); metadata of Alibaba 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services: the one public address that is inside
        "169.254.0.0/16",  # link-local: metadata of AWS, Google, Azure, Hetzner, OpenStack and most others
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments (RFC 6890); metadata of Oracle 192.0.0.192
        "192.168.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""Where IPv4 leads to the neighbourhood and not into the world: other hosts, nodes, the metadata service of a cloud."""
WORLD: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("2000::/3"))
"""All of IPv4, and all that IPv6 routes globally (RFC 4291 section 2.4). The latter holds none of fd00::/8 (metadata of
AWS fd00:ec2::254, Google fd20:ce::254, Scaleway fd00:42::42), link-local, multicast or NAT64."""
METADATA: tuple[str, ...] = (
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.42.42",
    "192.0.0.192",
    "fd00:42::42",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
)
"""Where clouds hand out a node's own keys: Alibaba, Azure, nearly all, AWS (tasks), Scaleway, Oracle; IPv6: Scaleway,
AWS, Google, OpenStack."""
SOLVERS = "solvers"
"""The Service that lists the pods with which cert-manager answers challenges of HTTP-01."""
SOLVER = ("acme.cert-manager.io/http01-solver", "true")
"""Label of such a pod (cert-manager: pkg/apis/acme/v1/const.go). Each knows one answer, and knows no other question."""
SOLVER_PORT = 8089
"""Where it listens (cert-manager: pkg/issuer/acme/http/http.go)."""
_WEB = (Port("http", 80), Port("https", 443))
_SMTP = (Port("smtp", 25),)
_API = (Port("api", 443),)
DNS_PORT = 53
"""Where servers of names are asked (RFC 1035 section 4.2)."""
CONTROLLER = (Port("https", 443), Port("https-pod", 8443))
"""Where Ingress controllers listen: on their address, and in pods that run without root."""
GATEWAY = (*CONTROLLER, Port("https-envoy", 10443))
"""Where pods of Gateways listen: Envoy Gateway adds 10000 to ports below 1024."""


def controller_ports(settings: Settings) -> tuple[Port, ...]:
    """Where whoever answers in the proxy's place listens."""
    return CONTROLLER if settings.network.gateway is None else GATEWAY


_DNS_SERVICE = 10
"""Which address of the Services' range DNS has where kubeadm, k3s, RKE2 or a cloud made the cluster."""
_NODE_LOCAL_DNS = "169.254.20.10"
"""Address of NodeLocal DNSCache (kubernetes: cluster/addons/dns/nodelocaldns)."""


@dataclass(frozen=True)
class Block:
    """A network without parts of it."""

    network: Network
    excepted: tuple[Network, ...] = ()

    def __contains__(self, address: str) -> bool:
        """Whether an address is in it."""
        asked = ipaddress.ip_address(address)
        return asked in self.network and not any(asked in each for each in self.excepted)


@dataclass(frozen=True)
class Pods:
    """Pods of somebody else: their namespace, and for each label the values of which they have one."""

    namespace: str
    labels: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Outside:
    """A peer that is no pod of ours: who, on which ports, and where: in these networks and in these pods."""

    name: str
    ports: tuple[Port, ...]
    blocks: tuple[Block, ...]
    pods: Pods | None = None

    @property
    def somewhere(self) -> bool:
        """Whether anything is left of it; without peers a rule of a NetworkPolicy means everybody."""
        return bool(self.blocks or self.pods)


def web(settings: Settings) -> Outside:
    """Whoever offers HTTP in the world, and the peers inside that are listed."""
    return at("web", _WEB, *settings.network.internal_peers.web, beside=_world(settings))


def alerts(settings: Settings) -> Outside:
    """Who takes alerts by HTTP: as `web`, and at the ports that their URLs name. Those that are secret name none here."""
    told = settings.monitoring.alerts
    urls = (url for url in (told.webhook, told.heartbeat) if url and url != SECRET)
    named = {port for url in urls if (port := urlsplit(url).port)} - {port.number for port in _WEB}
    ports = (*_WEB, *(Port(f"alerts-{port}", port) for port in sorted(named)))
    return at("web", ports, *settings.network.internal_peers.web, beside=_world(settings))


def mail(settings: Settings) -> Outside:
    """Where our mail goes: mail servers of the world, or the smarthost."""
    relay = smarthost(settings)
    if relay is None:
        return at("smtp", _SMTP, *settings.network.internal_peers.smtp, beside=_world(settings))
    ports = (Port("relay", relay.port),)
    return at("relay", ports, *relay.networks, beside=() if relay.networks else _world(settings))


def names(settings: Settings) -> Outside:
    """Who knows the names of the world: the servers of its zones, or the resolvers that are listed."""
    listed = settings.mail.outbound.resolvers
    given = tuple(ipaddress.ip_network(str(address)) for address in listed)
    return at("names", _both((DNS_PORT,)), *given, beside=() if given else _world(settings))


def alert_mail(settings: Settings) -> Outside | None:
    """The mail server of somebody else that takes alerts; None where our own does."""
    server = settings.monitoring.alerts.server
    if server is None:
        return None
    ports = (Port("alerts", server.port),)
    return at("alerts", ports, *server.networks, beside=() if server.networks else _world(settings))


def backups(backup: Backup) -> Outside:
    """Where backups lie."""
    return at("backups", (_port("backups", backup.repository.endpoint),), *backup.repository.networks)


def files(service: ExternalS3) -> Outside:
    """Where somebody else keeps people's files."""
    return at("s3", (_port("https", service.endpoint),), service.cidr)


def _port(name: str, url: str) -> Port:
    return Port(name, urlsplit(url).port or 443)


def kubernetes_api(settings: Settings) -> tuple[Outside, ...]:
    """The API server: its Service, which has the first address of its range, and what answers behind it."""
    api, services = settings.kubernetes.api, settings.network.service_cidr
    service = (ipaddress.ip_network(services[1]),) if services.num_addresses > 1 else ()
    behind = tuple(Port(f"api-{number}", number) for number in dict.fromkeys(api.ports))
    return at("kubernetes", _API, *service), at("kubernetes-behind", behind, *api.networks)


def solvers(settings: Settings) -> Outside | None:
    """Pods of cert-manager in our namespace that answer challenges; None where nobody asks for such answers."""
    if not settings.http_challenges:
        return None
    key, value = SOLVER
    pods = Pods(settings.kubernetes.namespace, ((key, (value,)),))
    return Outside(SOLVERS, (Port("http", SOLVER_PORT),), (), pods)


def _world(settings: Settings) -> tuple[Block, ...]:
    """Everywhere, but for the neighbourhood: private networks, metadata services, the cluster, our own addresses."""
    network = settings.network
    own = {
        *(address for found in load_balancer_addresses(settings).values() for address in found),
        *(address for found in public_addresses(settings).values() for address in found),
        *map(str, network.web_addresses or ()),
    }
    # A gateway's address may belong to other servers of the company as well; a node's is the node.
    if network.egress is not None and network.egress.postfix_nodes:
        own |= {*network.egress.sources}
    cluster = (network.pod_cidr, network.service_cidr, *network.closed)
    closed = (*INSIDE, *cluster, *map(ipaddress.ip_network, sorted(own)))
    return _blocks(WORLD, closed)


def at(name: str, ports: tuple[Port, ...], *networks: Network, beside: tuple[Block, ...] = ()) -> Outside:
    """A peer that is given by its networks. Metadata services are not meant, however wide these are."""
    metadata = tuple(map(ipaddress.ip_network, METADATA))
    return Outside(name, ports, (*beside, *_blocks(networks, metadata)))


def dns(settings: Settings, client: Daemon) -> tuple[Outside, ...]:
    """Whom pods of `client` ask for names: their own name servers, or the cluster's DNS.

    The latter is its pods, at the ports where they listen, and the addresses that are asked at port 53.
    """
    asked = resolver(settings, client)
    # One in the pod itself asks the cluster's DNS as well.
    if asked is not None and not asked.beside:
        # Nobody here knows whom a node asks.
        own = tuple(map(ipaddress.ip_network, asked.nameservers)) or WORLD
        return (Outside("resolver", _both((DNS_PORT,)), tuple(map(Block, own))),)
    given = settings.network.dns
    labels = tuple(sorted((key, tuple(sorted(values))) for key, values in given.labels.items()))
    pods = Outside("dns", _both(dict.fromkeys(given.ports)), (), Pods(given.namespace, labels))
    blocks = tuple(Block(ipaddress.ip_network(address)) for address in dns_addresses(settings))
    return (pods, Outside("dns-addresses", _both((DNS_PORT,)), blocks)) if blocks else (pods,)


def dns_addresses(settings: Settings) -> tuple[str, ...]:
    """Addresses at which pods ask for names."""
    if settings.network.dns.addresses is not None:
        return tuple(map(str, settings.network.dns.addresses))
    services = settings.network.service_cidr
    service = (str(services[_DNS_SERVICE]),) if services.num_addresses > _DNS_SERVICE else ()
    return (*service, _NODE_LOCAL_DNS)


def _both(numbers: Iterable[int]) -> tuple[Port, ...]:
    return tuple(
        port
        for number in numbers
        for port in (Port(f"dns-{number}", number, "UDP"), Port(f"dns-tcp-{number}", number))
    )


@functools.lru_cache(maxsize=256)  # every row of the connections asks for the same few
def _blocks(networks: tuple[Network, ...], closed: tuple[Network, ...]) -> tuple[Block, ...]:
    """`networks` without those of `closed`, each once: what is no smaller part of a block cannot be its exception."""
    v4 = [each for each in closed if isinstance(each, ipaddress.IPv4Network)]
    v6 = [each for each in closed if isinstance(each, ipaddress.IPv6Network)]
    merged: list[Network] = [*ipaddress.collapse_addresses(v4), *ipaddress.collapse_addresses(v6)]
    return tuple(
        Block(network, tuple(each for each in merged if within(each, network)))
        for network in dict.fromkeys(networks)
        if not any(within(network, each) for each in merged)
    )


def within(part: Network, whole: Network) -> bool:
    """Whether `part` lies in `whole`; an IPv4 network lies in no IPv6 one."""
    if isinstance(part, ipaddress.IPv4Network):
        return isinstance(whole, ipaddress.IPv4Network) and part.subnet_of(whole)
    return isinstance(whole, ipaddress.IPv6Network) and part.subnet_of(whole)
