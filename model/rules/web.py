"""The web edge."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.settings import Settings


def ingress_trust(settings: Settings) -> Iterator[Finding]:
    """Whoever may set X-Forwarded-For chooses the address that rate limits and logs see."""
    ingress = settings.network.ingress
    if ingress and ingress.controller_cidr.prefixlen == 0:
        yield Finding(
            rule="ingress-trust",
            path="kolab:network.ingress.controllerCidr",
            problem="trusts X-Forwarded-For from the whole Internet",
            fix="write the network of the controller's pods",
        )


def host_ports(settings: Settings) -> Iterator[Finding]:
    """A port on a node stays on that node, while pods of a cluster move."""
    if settings.network.load_balancer == "hostPort" and not settings.single_node:
        yield Finding(
            rule="hostport-mode",
            path="kolab:network.loadBalancer",
            problem="is hostPort in cluster mode, where addresses must follow pods from node to node",
            fix="use metallb, or kolab:mode single-node",
        )


RULES = (ingress_trust, host_ports)
