"""The web edge."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.settings import Settings


def ingress(settings: Settings) -> Iterator[Finding]:
    """hostPort and an Ingress controller would fight for 80 and 443 only if both answered them."""
    network = settings.network
    if network.ingress and network.ingress.controller_cidr.prefixlen == 0:
        yield Finding(
            rule="ingress-trust",
            path="kolab:network.ingress.controllerCidr",
            problem="trusts X-Forwarded-For from the whole Internet",
            fix="write the network of the controller's pods",
        )
    if network.load_balancer == "hostPort" and not settings.single_node:
        yield Finding(
            rule="hostport-mode",
            path="kolab:network.loadBalancer",
            problem="is hostPort in cluster mode, where addresses must follow pods from node to node",
            fix="use metallb, or kolab:mode single-node",
        )


RULES = (ingress,)
