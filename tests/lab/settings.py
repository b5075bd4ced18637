"""What can be chosen: nodes, addresses, kube-proxy's mode."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Literal, get_args

from tests.lab.errors import LabError

ProxyMode = Literal["nftables", "iptables"]
MOST_NODES = 9


@dataclass(frozen=True)
class Settings:
    """Addresses of the lab. Strings, as people write them; the properties below are what follows from them.

    inet .9, DNS .53, .54, .55 -- router -- segment: router .1, control plane .10, nodes .11 ..., this machine .254
    """

    nodes: int = 2
    proxy_mode: ProxyMode = "nftables"
    segment: str = "192.168.50.0/24"
    # Empty: MetalLB is there, but has no pool, because what is tested brings its own.
    load_balancer: str = "192.168.50.200-192.168.50.210"
    pods: str = "10.244.0.0/16"
    services: str = "10.96.0.0/16"
    internet: str = "203.0.113.0/24"
    # What the internet sees when a node or its pods open a connection. A node that is left out cannot reach it.
    egress: dict[str, str] = field(
        default_factory=lambda: {f"n{i}": f"198.51.100.{10 + i}" for i in range(1, MOST_NODES + 1)}
    )

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is made."""
        if not 1 <= self.nodes <= MOST_NODES:
            raise LabError(f"nodes: {self.nodes} is not between 1 and {MOST_NODES}")
        if self.proxy_mode not in get_args(ProxyMode):
            raise LabError(f"proxy mode: {self.proxy_mode!r} is neither of {', '.join(get_args(ProxyMode))}")
        networks = {}
        for name, prefix in {"segment": 24, "pods": 16, "services": 16, "internet": 24}.items():
            try:
                networks[name] = IPv4Network(getattr(self, name))
            except ValueError as error:
                raise LabError(f"{name}: {error}") from None
            if networks[name].prefixlen != prefix:
                raise LabError(f"{name}: {networks[name]} has to be a /{prefix}")
        overlapping = [
            f"{a} and {b}" for a in networks for b in networks if a < b and networks[a].overlaps(networks[b])
        ]
        if overlapping:
            raise LabError(f"these overlap: {', '.join(overlapping)}")
        for address in self.load_balancer_addresses:
            if address not in networks["segment"]:
                raise LabError(f"load balancer: {address} is not in the segment {self.segment}")
        for node, egress in self.egress.items():
            try:
                IPv4Address(egress)
            except ValueError:
                raise LabError(f"egress: {node} has {egress!r}, which is no address") from None
            if not re.fullmatch("n[1-9]", node):
                raise LabError(f"egress: {node!r} is no node; they are called n1, n2, ...")

    @property
    def node_names(self) -> list[str]:
        """n1, n2, ..."""
        return [f"n{i}" for i in range(1, self.nodes + 1)]

    def node_address(self, name: str) -> str:
        """A node's own address on the segment."""
        return self._host("segment", 10 + int(name[1:]))

    def node_pods(self, name: str) -> str:
        """The /24 from which a node's pods get their addresses."""
        return str(list(IPv4Network(self.pods).subnets(new_prefix=24))[int(name[1:])])

    @property
    def load_balancer_addresses(self) -> list[IPv4Address]:
        """Every address that MetalLB may give away."""
        if not self.load_balancer:
            return []
        try:
            first, last = (IPv4Address(part.strip()) for part in self.load_balancer.split("-"))
        except ValueError:
            raise LabError(f"load balancer: {self.load_balancer!r} is not FIRST-LAST") from None
        return [IPv4Address(number) for number in range(int(first), int(last) + 1)]

    @property
    def router(self) -> str:
        """The segment's way out."""
        return self._host("segment", 1)

    @property
    def control_plane(self) -> str:
        """Where the API server answers."""
        return self._host("segment", 10)

    @property
    def machine(self) -> str:
        """This machine's own leg on the segment, so that tests reach the API server."""
        return self._host("segment", 254)

    @property
    def internet_router(self) -> str:
        """The router as the internet sees it."""
        return self._host("internet", 1)

    @property
    def client(self) -> str:
        """The client on the internet."""
        return self._host("internet", 9)

    @property
    def internet_dns(self) -> str:
        """The internet's DNS server."""
        return self._host("internet", 53)

    @property
    def internet_second(self) -> str:
        """The other server of the same zones, which neither pods nor nodes reach."""
        return self._host("internet", 54)

    @property
    def internet_resolver(self) -> str:
        """The resolver that validates, for the client alone."""
        return self._host("internet", 55)

    @property
    def cluster_dns(self) -> str:
        """CoreDNS as pods see it."""
        return self._host("services", 10)

    @property
    def api_service(self) -> str:
        """kubernetes.default as pods see it."""
        return self._host("services", 1)

    def node_egress(self) -> dict[str, str]:
        """node address -> address on the internet, of the nodes that have one."""
        return {self.node_address(n): self.egress[n] for n in self.node_names if n in self.egress}

    def dump(self) -> str:
        """JSON that `load` reads."""
        return json.dumps(asdict(self))

    @staticmethod
    def load(text: str) -> Settings:
        """Settings that `dump` wrote."""
        return Settings(**json.loads(text))

    def _host(self, network: str, number: int) -> str:
        return str(IPv4Network(getattr(self, network))[number])
