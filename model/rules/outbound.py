"""Keys of receivers are asked for where that can be done, and where it means something."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic.alias_generators import to_camel

from model import resolver
from model.catalogue import mail as rules
from model.findings import Finding
from model.settings import Settings
from model.topology import METADATA, smarthost


def outbound(settings: Settings) -> Iterator[Finding]:
    """DANE for what we send is where we deliver ourselves, and asks whoever can be asked."""
    sent = settings.mail.outbound
    if not sent.dane:
        for key in ("resolvers", "internal_domains", "trust_anchors", "exempt"):
            if getattr(sent, key):
                yield rules.OUTBOUND_UNUSED.found(key=to_camel(key))
        return
    if smarthost(settings):
        yield rules.OUTBOUND_RELAY.found()
    if not resolver.cluster_resolvers(settings):
        yield rules.OUTBOUND_CLUSTER_DNS.found(namespace=settings.network.dns.namespace)
    network = settings.network
    for address in sent.resolvers:
        if address.is_loopback:
            yield rules.OUTBOUND_RESOLVER.found(address=address, what="the pod's own: it would ask itself")
        elif str(address) in METADATA:
            yield rules.OUTBOUND_RESOLVER.found(
                address=address, what="a cloud's metadata service, which stays closed"
            )
        elif any(address in each for each in (network.pod_cidr, network.service_cidr)):
            what = "in the cluster, where policies let pods through by their labels and not by addresses"
            yield rules.OUTBOUND_RESOLVER.found(address=address, what=what)


RULES = (outbound,)
