"""The web edge."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import addresses as rules
from model.catalogue import gateways
from model.catalogue.cluster import ISSUER_HTTP_INGRESS
from model.findings import Finding
from model.settings import Settings


def host_ports(settings: Settings) -> Iterator[Finding]:
    """A port on a node stays on that node, while pods of a cluster move."""
    if settings.network.load_balancer == "hostPort" and not settings.single_node:
        yield rules.HOSTPORT_MODE.found()


def challenges(settings: Settings) -> Iterator[Finding]:
    """Whoever asks port 80 for proof of a name finds one server there."""
    if settings.http_challenges and settings.network.web_server is not None:
        yield ISSUER_HTTP_INGRESS.found(key=settings.network.web_server[0])


def gateway(settings: Settings) -> Iterator[Finding]:
    """One server stands before the proxy, and can tell that it speaks to the proxy."""
    if settings.network.gateway is None:
        return
    if settings.network.ingress is not None:
        yield gateways.WEB_SERVERS.found()
    if settings.tls.issuer == "selfSigned" and settings.network.gateway.authorities is None:
        yield gateways.AUTHORITY.found(namespace=settings.kubernetes.namespace)


RULES = (host_ports, challenges, gateway)
