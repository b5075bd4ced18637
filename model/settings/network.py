"""Addresses in, addresses out, and what lies between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field

from model.authorities import Authorities
from model.settings.base import Section
from model.settings.web_server import Gateway, Ingress
from model.texts import Interface, Label, LabelKey, LabelValue, ObjectName, Username
from model.types import Address, Addresses, Hostname, Network, Networks, PortNumber, as_tuple


class PublicAddresses(Section):
    """Addresses of the stack on the load balancer, by what listens there."""

    all: Addresses = ()
    """single-node: the one address that carries every port. An IPv6 address may stand beside it, `[192.0.2.10, 2001:db8::10]`, for port 25 alone: nothing else listens on it."""
    proxy: Address | None = None
    """cluster: HTTPS, IMAP and submission (nginx)."""
    smtp: Addresses = ()
    """cluster: port 25. An IPv6 address may stand beside the IPv4 one: Postfix listens on both."""
    turn: Address | None = None
    """cluster: TURN (coturn)."""
    sieve: Address | None = None
    """cluster: ManageSieve (Cyrus)."""
    meet: Address | None = None
    """cluster: media of Meet (WebRTC)."""

    @classmethod
    def services(cls) -> tuple[str, ...]:
        """Public Services that have addresses of their own in cluster mode."""
        return tuple(name for name in cls.model_fields if name != "all")

    def of(self, name: str) -> tuple[Address, ...]:
        """What is written for `all` or a service."""
        value = getattr(self, name)
        return value if isinstance(value, tuple) else () if value is None else (value,)


class _Egress(Section):
    """What every kind of egress answers; nobody else asks which kind it is."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Addresses that receivers see as the source of our mail; none when a relay sends for us."""
        return tuple(str(address) for found in self.listed.values() for address in found)

    @property
    def listed(self) -> Mapping[str, Addresses]:
        """Key below network.egress -> the addresses that it lists."""
        return {}

    @property
    def postfix_nodes(self) -> tuple[str, ...]:
        """The only nodes that may run Postfix; empty when any may."""
        return ()

    @property
    def smarthost(self) -> EgressRelay | None:
        """Who takes all our mail; None when it goes to the receivers' servers on port 25."""
        return None

    @property
    def spf_includes(self) -> tuple[str, ...] | None:
        """Domains whose SPF records list sources beside ours; None when nobody knows them."""
        return ()


class EgressNodes(_Egress):
    """Mail leaves from the node that runs Postfix, so each such node is listed with what the world sees."""

    mode: Literal["nodes"]
    """Kind of egress."""
    nodes: Annotated[dict[ObjectName, Addresses], Field(min_length=1)]
    """Node name -> its public source addresses. Postfix runs on these nodes only."""

    @property
    def listed(self) -> Mapping[str, Addresses]:
        """One entry for each node."""
        return {f"nodes.{node}": addresses for node, addresses in self.nodes.items()}

    @property
    def postfix_nodes(self) -> tuple[str, ...]:
        """The nodes whose addresses SPF and PTR name."""
        return tuple(self.nodes)


class EgressGateway(_Egress):
    """An egress gateway or NAT outside of this stack gives all mail the same source."""

    mode: Literal["gateway"]
    """Kind of egress."""
    addresses: Annotated[Addresses, Field(min_length=1)]
    """Public source addresses of the gateway."""

    @property
    def listed(self) -> Mapping[str, Addresses]:
        """The gateway's addresses."""
        return {"addresses": self.addresses}


class EgressRelay(_Egress):
    """A smarthost sends for us: its SPF include stands in for our addresses."""

    mode: Literal["relay"]
    """Kind of egress."""
    host: Hostname
    """Name of the smarthost."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Port of the smarthost."""
    tls: Literal["starttls", "implicit"] | None = None
    """How TLS begins: `starttls`, or `implicit` from the first byte. Left out: `implicit` on port 465, `starttls` on others. Mail never leaves without TLS and a certificate of the smarthost's name."""
    authorities: Authorities | None = None
    """Certificates (PEM) of the authorities that vouch for the smarthost, if it is no public one: they alone are believed then."""
    username: Username | None = None
    """SASL user; its password is the flat secret key kolab:relayPassword."""
    networks: Networks = ()
    """Its addresses, if it stands inside: in a private network, the cluster, or behind an address of ours. Otherwise mail goes to relays in the world only."""
    spf_include: Hostname | None = None
    """Domain whose SPF record lists the relay's addresses (`include:`)."""

    @property
    def smarthost(self) -> EgressRelay | None:
        """This one."""
        return self

    @property
    def spf_includes(self) -> tuple[str, ...] | None:
        """The relay's own list, if its operator has told it."""
        return (self.spf_include,) if self.spf_include else None

    @property
    def implicit_tls(self) -> bool:
        """Whether TLS begins before SMTP does (RFC 8314 section 3.3)."""
        return (self.tls or ("implicit" if self.port == 465 else "starttls")) == "implicit"


Egress = Annotated[EgressNodes | EgressGateway | EgressRelay, Discriminator("mode")]


class Metallb(Section):
    """How MetalLB announces the addresses (layer 2)."""

    namespace: Label = "metallb-system"
    """Namespace where MetalLB itself runs: its pools are read only there."""
    interfaces: tuple[Interface, ...] = ()
    """Announce on these network interfaces only; empty means all."""


_Values = Annotated[
    tuple[LabelValue, ...],
    BeforeValidator(as_tuple, json_schema_input_type=LabelValue | tuple[LabelValue, ...]),
    Field(min_length=1, title="values of a label"),
]


class ClusterDns(Section):
    """The cluster's DNS, which is all that pods may ask for names. The defaults fit kubeadm, k3s, RKE2, MicroK8s and most clouds."""

    namespace: Label = "kube-system"
    """Namespace of its pods. OpenShift: openshift-dns."""
    labels: Annotated[dict[LabelKey, _Values], Field(min_length=1)] = {
        "k8s-app": ("kube-dns", "node-local-dns")
    }
    """Labels of its pods: each of these, with one of its values. OpenShift: `dns.operator.openshift.io/daemonset-dns: default`."""
    ports: Annotated[tuple[PortNumber, ...], Field(min_length=1)] = (53,)
    """Ports on which its pods listen, behind the Service: most networks judge a connection by these. OpenShift: 5353, Gardener: 8053."""
    addresses: Addresses | None = None
    """Addresses that answer on port 53 without being such a pod's: of the Service, where NodeLocal DNSCache takes it over, and of the latter. Default: the tenth address of serviceCidr, and 169.254.20.10."""


class InternalPeers(Section):
    """Peers that are not in the world. Without them, private networks, the cluster and our own addresses are closed to every daemon."""

    web: Networks = ()
    """Networks that are reached on ports 80 and 443 by whoever may fetch from the web: an alert webhook, a mirror of virus signatures."""
    smtp: Networks = ()
    """Networks that Postfix may deliver to on port 25: mail servers of the same company."""


class Doors(Section):
    """Ways in that need not be open to the world. Left out, the world may knock; a list lets these networks in; [] closes."""

    admin: Networks | None = None
    """Web interface of administrators (admin.<website>)."""
    reseller: Networks | None = None
    """Web interface of resellers (reseller.<website>)."""
    monitoring: Networks | None = None
    """Monitoring pages, which ask for a password of 32 characters besides."""
    sieve: Networks | None = None
    """ManageSieve on port 4190, which leads to Cyrus itself: without the application's second factor and geo lock."""


class Brakes(Section):
    """How often one address may try to log in. Failures and successes count alike: the edge does not know which it was. However many are allowed, the application checks four of one address at the same time, so that nobody else waits behind them."""

    web_logins: Annotated[int, Field(ge=5, le=6000)] = 60
    """Logins per minute at the web interface and the webmail, and as many more at once; a school behind one address needs more."""
    mail_logins: Annotated[int, Field(ge=10, le=60000)] = 300
    """Logins per minute by IMAP and submission, and as many more within half a minute. Whoever asks more is told to come again, not that the password is wrong."""
    programs: Annotated[int, Field(ge=60, le=60000)] = 600
    """Requests per minute that bring a password with them, as calendars, contacts and phones (ActiveSync) do each time, and browsers at the monitoring pages. A tenth of them may come at once; more take their turn, and whoever has a minute's worth waiting is told to come again."""


class Networking(Section):
    """Addresses in, addresses out, and what lies between."""

    cni: Literal["standard", "cilium"] = "standard"
    """Whose rules close the pods off. To `cilium` nodes are no addresses, so the stack adds CiliumNetworkPolicies for what is reached on nodes; `standard` is every other plugin that enforces NetworkPolicies."""
    load_balancer: Literal["metallb", "hostPort"] = "metallb"
    """`hostPort` opens the ports on the node itself: a VPS whose only address is the node's own."""
    addresses: PublicAddresses = PublicAddresses()
    """Addresses on the load balancer, before any NAT."""
    public: dict[Address, Address] = {}
    """Address on the load balancer -> address the world uses, where a NAT maps them; others are public themselves."""
    egress: Egress | None = None
    """What the world sees as the source of our mail. SPF, HELO, A/AAAA of the HELO name and PTR follow it."""
    announced_egress: Addresses = ()
    """Addresses that mail will leave from later: they stand in SPF, HELO and PTR now, so that every cache knows them on the day of the move."""
    pod_cidr: Network = Field(default="10.42.0.0/16", validate_default=True)
    """Addresses of pods. Nothing in it may be public, and no daemon trusts it as a mail client."""
    service_cidr: Network = Field(default="10.43.0.0/16", validate_default=True)
    """Addresses of Services."""
    dns: ClusterDns = ClusterDns()
    """Where pods ask for names."""
    internal_peers: InternalPeers = InternalPeers()
    """What daemons may reach although it is no part of the world."""
    closed: Networks = ()
    """Public networks that daemons may not reach as a part of the world: IPv6 addresses of pods and nodes, the company's own servers."""
    doors: Doors = Doors()
    """Which ways in are open to whom."""
    brakes: Brakes = Brakes()
    """How fast strangers may guess."""
    edge_node: ObjectName | None = None
    """single-node mode in a larger cluster: the one node that runs all public pods."""
    metallb: Metallb = Metallb()
    """MetalLB's own settings."""
    ingress: Ingress | None = None
    """Set when an Ingress controller answers 80 and 443 instead of the proxy."""
    gateway: Gateway | None = None
    """Set when a Gateway of the Gateway API answers 80 and 443 instead of the proxy."""

    @property
    def web_server(self) -> tuple[str, Ingress | Gateway] | None:
        """Who answers 80 and 443 in place of the proxy, below the key of the section that says so; None for the proxy itself."""
        if self.ingress is not None:
            return "ingress", self.ingress
        return None if self.gateway is None else ("gateway", self.gateway)

    @property
    def web_addresses(self) -> Addresses | None:
        """Public addresses of who answers in place of the proxy; None for the proxy itself."""
        return None if self.web_server is None else self.web_server[1].addresses
