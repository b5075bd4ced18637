"""A and AAAA of every public host.

IPv6 is published only for what listens on it: Postfix, and what stands in front of the web part.
The proxy's mail ports, ManageSieve and TURN bind IPv4 alone (model/rules/addresses.py, rule ipv6-not-listening).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.identity.rdata import address
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from model.topology import egress_addresses, public_addresses


@dataclass(frozen=True)
class Host:
    """A public name, the addresses behind it, and what a client does there."""

    name: str
    role: str
    addresses: tuple[str, ...]
    why: str


def hosts(settings: Settings) -> tuple[Host, ...]:
    """Every public host that has an address now, in the order of the names page."""
    return tuple(host for host in _hosts(settings) if host.addresses)


def _hosts(settings: Settings) -> Iterator[Host]:
    names = Names.of(settings)
    public = public_addresses(settings)
    proxy = _ipv4(public.get("proxy", ()))
    given = settings.network.web_addresses
    web = proxy if given is None else tuple(map(str, given))
    yield Host(names.website, "website", web, "Web interface, webmail and API.")
    yield Host(names.admin, "admin", web, "Web interface of administrators.")
    yield Host(names.reseller, "reseller", web, "Web interface of resellers.")
    if names.monitoring:
        yield Host(names.monitoring, "monitoring", web, "Monitoring pages of the operator.")
    if settings.features.activesync:
        yield Host(names.activesync, "activesync", web, "ActiveSync for mobile devices.")
    yield Host(names.imap, "imap", proxy, "IMAP.")
    yield Host(names.smtp, "smtp", proxy, "Submission of mail by users.")
    yield Host(names.sieve, "sieve", _ipv4(public.get("sieve", ())), "ManageSieve: mail filters.")
    yield Host(names.turn, "turn", _ipv4(public.get("turn", ())), "TURN relay of Meet.")
    yield Host(names.mx, "mx", public.get("smtp", ()), "Port 25: mail from the world arrives here.")
    yield Host(
        names.helo,
        "helo",
        egress_addresses(settings, announced=True),
        "Name in our EHLO, with every address that our mail leaves from: receivers compare it with PTR (RFC 8601 section 2.7.3).",
    )
    for domain in names.domains:
        # The first MX of a domain that is not live is another server's, which may have a policy and clients that are led there.
        if settings.stage_of(domain) == "live":
            yield Host(
                f"mta-sts.{domain}",
                "policy",
                web,
                "Serves the MTA-STS policy over HTTPS (RFC 8461 section 3.3).",
            )
            yield Host(
                f"autoconfig.{domain}", "autoconfig", web, "Thunderbird and others ask here for settings."
            )
            yield Host(f"autodiscover.{domain}", "autodiscover", web, "Outlook asks here for settings.")


def records(settings: Settings) -> Iterator[Record]:
    """A and AAAA of all hosts; a name with two roles on one address appears once."""
    for host in hosts(settings):
        for value in host.addresses:
            yield Record(host.name, address(value), settings.dns.ttl, host.why)


def _ipv4(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value for value in addresses if ":" not in value)
