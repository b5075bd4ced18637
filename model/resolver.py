"""unbound.conf: what the resolver beside Postfix believes, and whom it asks about what.

Source: https://unbound.docs.nlnetlabs.nl/en/latest/manpages/unbound.conf.html
"""

from __future__ import annotations

from collections.abc import Iterator

from model import topology
from model.settings import Settings

PATH = "/kolab/unbound"

ROOT_KEYS = (
    "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    "38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)
"""DS records of the Internet's root, of 2017 and of 2024: either suffices, so that the change from one to the other is no
event here (https://data.iana.org/root-anchors/root-anchors.xml)."""


def config(settings: Settings) -> str:
    """The whole file. It has no path of the image but its own, and nothing is written."""
    return "".join(f"{line}\n" for line in _lines(settings))


def _lines(settings: Settings) -> Iterator[str]:
    outbound, inside = settings.mail.outbound, cluster_resolvers(settings)
    listed = tuple(map(str, outbound.resolvers))
    yield "server:"
    yield "interface: 127.0.0.1"
    yield f"port: {topology.UNBOUND.port('dns').number}"
    # Every zone that matters has servers with IPv4 addresses, and few pods have a way out by IPv6.
    yield f"do-ip6: {'yes' if any(':' in address for address in (*inside, *listed)) else 'no'}"
    yield from (
        'username: ""',
        'chroot: ""',
        'directory: "/"',
        'pidfile: ""',
        'logfile: ""',
        "use-syslog: no",
    )
    yield "do-daemonize: no"
    yield 'module-config: "validator iterator"'
    # The size that its container has (model/sizing.py): what is counted there is taken twice.
    yield from ("msg-cache-size: 8m", "rrset-cache-size: 16m", "key-cache-size: 4m", "neg-cache-size: 1m")
    # One line for each name that could not be had: all that tells an operator whose fault it is.
    yield from ("val-log-level: 2", "log-servfail: yes")
    yield from (f'trust-anchor: ". DS {key}"' for key in outbound.trust_anchors or ROOT_KEYS)
    for domain in internal_domains(settings):
        yield f'domain-insecure: "{domain}"'
        # Some are kept from being asked at all, as private addresses and what ends in .test are.
        yield f'local-zone: "{domain}" transparent'
    yield from ("remote-control:", "control-enable: no")
    for domain in internal_domains(settings):
        yield from _forward(domain, inside)
    if listed:
        yield from _forward(".", listed)


def _forward(zone: str, addresses: tuple[str, ...]) -> Iterator[str]:
    yield from ("forward-zone:", f'name: "{zone}"', *(f"forward-addr: {each}" for each in addresses))


def internal_domains(settings: Settings) -> tuple[str, ...]:
    """Domains that the cluster's DNS is asked about: Services, engines of somebody else, and what the operator lists."""
    external = settings.external
    engines = (each.host for each in (external.database, external.redis) if each)
    return tuple(
        dict.fromkeys(
            (settings.kubernetes.cluster_domain, *engines, *settings.mail.outbound.internal_domains)
        )
    )


def cluster_resolvers(settings: Settings) -> tuple[str, ...]:
    """Where the cluster's DNS is asked. Of the usual addresses the Service's alone: NodeLocal DNSCache is not everywhere, and
    a silent address costs each name that is asked there seconds.
    """
    found = topology.dns_addresses(settings)
    return found if settings.network.dns.addresses is not None else found[:-1]
