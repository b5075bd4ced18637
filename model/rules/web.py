"""The web edge."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import addresses as rules
from model.findings import Finding
from model.settings import Settings


def ingress_trust(settings: Settings) -> Iterator[Finding]:
    """Whoever may set X-Forwarded-For chooses the address that rate limits and logs see."""
    ingress = settings.network.ingress
    if ingress and ingress.controller_cidr.prefixlen == 0:
        yield rules.INGRESS_TRUST.found()


def host_ports(settings: Settings) -> Iterator[Finding]:
    """A port on a node stays on that node, while pods of a cluster move."""
    if settings.network.load_balancer == "hostPort" and not settings.single_node:
        yield rules.HOSTPORT_MODE.found()


RULES = (ingress_trust, host_ports)
