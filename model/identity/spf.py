"""SPF: which addresses may send in our name (RFC 7208), made from egress and never from the load balancer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from model.identity.place import foreign_domains
from model.identity.rdata import TXT
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from model.topology import egress_addresses, spf_includes

MAX_BYTES = 450
"""Longest record that fits a UDP answer beside other text (RFC 7208 section 3.4)."""
MAX_LOOKUPS = 10
"""Terms that make receivers ask DNS (RFC 7208 section 4.6.4)."""
MAX_VOIDS = 2
"""Questions without an answer before receivers give up (RFC 7208 section 4.6.4)."""


def sources(settings: Settings) -> tuple[str, ...]:
    """The mechanisms that match our mail: ip4:/ip6: for every egress address, and the include of a relay.

    Empty when nothing is known (a relay without spfInclude): then no SPF record is published, since every one
    would be wrong.
    """
    includes = spf_includes(settings)
    if includes is None:
        return ()
    own = networks(egress_addresses(settings, announced=True))
    return (*own, *(f"include:{domain}" for domain in includes))


def terms(settings: Settings, domain: str) -> tuple[str, ...]:
    """The mechanisms of `domain`: ours first, so that our own mail costs receivers no lookup; then those of others."""
    others = settings.senders_of(domain)
    return (
        *sources(settings),
        *networks(str(network) for network in others.networks),
        *others.mechanisms,
        *(f"include:{name}" for name in others.includes),
    )


def lookups(settings: Settings, domain: str) -> int:
    """DNS lookups that the record of `domain` costs a receiver in the worst case, inside of includes as they were counted last."""
    counted = settings.senders_of(domain).counted
    includes = (*(spf_includes(settings) or ()), *settings.senders_of(domain).includes)
    own = len(settings.senders_of(domain).mechanisms)
    return own + sum(1 + counted.get(name, 0) for name in includes)


def uncounted(settings: Settings, domain: str) -> tuple[str, ...]:
    """Includes of others that nobody has looked into yet."""
    others = settings.senders_of(domain)
    return tuple(name for name in others.includes if name not in others.counted)


def networks(addresses: Iterable[str]) -> tuple[str, ...]:
    """ip4:/ip6: mechanisms of these addresses; neighbours are joined into networks that hold exactly the same."""
    nets = [ipaddress.ip_network(address, strict=False) for address in addresses]
    v4 = [net for net in nets if isinstance(net, ipaddress.IPv4Network)]
    v6 = [net for net in nets if isinstance(net, ipaddress.IPv6Network)]
    return (
        *(_term("ip4", net) for net in ipaddress.collapse_addresses(v4)),
        *(_term("ip6", net) for net in ipaddress.collapse_addresses(v6)),
    )


def _term(mechanism: str, net: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    alone = net.prefixlen == net.max_prefixlen
    return f"{mechanism}:{net.network_address if alone else net}"


def text(mechanisms: tuple[str, ...], end: str) -> str:
    """An SPF record of these mechanisms, in this order."""
    return " ".join(("v=spf1", *mechanisms, end))


def ending(settings: Settings, domain: str) -> str:
    """How the record of `domain` ends: neutral, which receivers treat as no record at all (RFC 7208 section 8.2), while
    another server still has the domain and `senders` names nobody, since a record that says no more than our addresses
    would judge what that server sends.
    """
    others = settings.senders_of(domain)
    alone = settings.stage_of(domain) == "live" or others.includes or others.networks or others.mechanisms
    return settings.mail.spf_all if alone else "?all"


def shared_name(settings: Settings) -> str:
    """Name of the record that domains in foreign zones include: our addresses can change without their owners."""
    return f"_spf.{settings.domain}"


def records(settings: Settings) -> Iterator[Record]:
    """SPF of every mail domain, of the HELO name, and the record that foreign domains include.

    Live mail domains end in ~all, so that forwarded mail is judged by DKIM and DMARC instead of refused at once.
    Nobody forwards a HELO name, so that one ends in -all.
    """
    found = sources(settings)
    if not found:
        return
    ttl, end = settings.dns.ttl, settings.mail.spf_all
    for domain in settings.domains:
        yield Record(
            domain,
            TXT(text(terms(settings, domain), ending(settings, domain))),
            ttl,
            f"Addresses that may send mail of @{domain} (RFC 7208).",
        )
    helo = Names.of(settings).helo
    if helo not in settings.domains and egress_addresses(settings, announced=True):
        yield Record(
            helo,
            TXT(text(networks(egress_addresses(settings, announced=True)), "-all")),
            ttl,
            "Bounces have no sender, so receivers check the EHLO name instead (RFC 7208 section 2.3).",
        )
    if foreign_domains(settings):
        why = "Domains in other people's zones include this record and follow our addresses."
        yield Record(shared_name(settings), TXT(text(found, end)), ttl, why)
