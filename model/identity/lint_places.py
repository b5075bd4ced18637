"""Who publishes each record and who reads each report: gaps between our zones and other people's."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import places as rules
from model.findings import Finding, some
from model.identity import dkim, dmarc, ptr
from model.identity.hosts import hosts
from model.identity.lint import Keys
from model.identity.place import (
    foreign_domains,
    forward_zones,
    reverse_networks,
    reverse_zones,
    zone_of,
)
from model.identity.plan import Plan
from model.identity.rdata import PTR
from model.settings import Dmarc, Settings


def lint_places(settings: Settings, found: Plan) -> Iterator[Finding]:
    """Findings about records and reports that would reach nobody."""
    yield from report_addresses(settings)
    yield from forward(settings)
    yield from foreign_owners(settings)
    yield from servers(settings)
    yield from reverse(settings, found)
    yield from elsewhere(settings, found)


def report_addresses(settings: Settings) -> Iterator[Finding]:
    """Addresses that DNS names must be able to receive, and their domains must agree to it."""
    reports = settings.mail.reports
    given = [*_dmarc_addresses("kolab:mail.dmarc", settings.mail.dmarc)]
    for domain, own in settings.per_domain.items():
        given += _dmarc_addresses(f"kolab:domains.{domain}.dmarc", own.dmarc) if own.dmarc else ()
    given += [
        (path, a)
        for path, a in (
            ("kolab:mail.reports.tlsRpt", reports.tls_rpt),
            ("kolab:mail.reports.caaIodef", reports.caa_iodef),
            ("kolab:mail.postmaster", settings.mail.postmaster),
        )
        if a
    ]
    deaf = {host.name for host in hosts(settings)} - set(settings.domains)
    for path, address in given:
        domain = address.rpartition("@")[2]
        if domain in deaf:
            yield rules.ADDRESS_AT_HOST.found(
                path=path, address=address, domain=domain, primary=settings.domain
            )
    zones = forward_zones(settings)
    missing: dict[str, list[str]] = {}
    for domain, report in dmarc.authorisations(settings):
        if zone_of(report, zones) is None:
            missing.setdefault(report, []).append(domain)
    for report, domains in missing.items():
        yield rules.DMARC_CONSENT.found(
            report=report, domains=some(domains), name=dmarc.authorisation_name(domains[0], report)
        )


def _dmarc_addresses(path: str, policy: Dmarc) -> Iterator[tuple[str, str]]:
    for key, addresses in (("rua", policy.rua), ("ruf", policy.ruf)):
        for number, address in enumerate(addresses):
            yield f"{path}.{key}[{number}]", address


def forward(settings: Settings) -> Iterator[Finding]:
    """The primary domain needs a zone, and Cloudflare needs its id."""
    dns, zones = settings.dns, forward_zones(settings)
    if zone_of(settings.domain, zones) is None:
        yield rules.ZONE_MISSING.found(
            primary=settings.domain, id="<zone id>" if dns.provider == "cloudflare" else '""'
        )
    for zone, identifier in dns.zone_ids.items():
        if dns.provider != "cloudflare" or identifier:
            continue
        if zone in dns.zones:
            yield rules.ZONE_WITHOUT_ID.found(zone=zone)
        else:
            yield rules.REVERSE_ZONE_WITHOUT_ID.found(zone=zone)


def foreign_owners(settings: Settings) -> Iterator[Finding]:
    """Owners of foreign domains publish once, so what they publish must last."""
    foreign = foreign_domains(settings)
    if foreign:
        yield rules.DOMAIN_FOREIGN.found(domains=some(foreign))
        spare = set(dkim.promised(settings)) - {
            name for name, key in settings.mail.dkim.selectors.items() if key.stage != "staged"
        }
        if not spare:
            yield rules.DKIM_NOTHING_RESERVED.found(domains=some(foreign))


def servers(settings: Settings) -> Iterator[Finding]:
    """Zone files need servers that can be found, web names an address."""
    dns, zones = settings.dns, forward_zones(settings)
    if (
        dns.provider == "zonefile"
        and not dns.nameservers
        and not (settings.example or settings.kubernetes.render)
    ):
        yield rules.NAMESERVERS_UNKNOWN.found()
    for server, addresses in dns.nameservers.items():
        if not addresses and zone_of(server, zones):
            yield rules.NAMESERVER_WITHOUT_ADDRESS.found(server=server)
    if settings.network.web_server and not settings.network.web_addresses:
        yield rules.INGRESS_WITHOUT_ADDRESS.found(key=settings.network.web_server[0])


def reverse(settings: Settings, found: Plan) -> Iterator[Finding]:
    """Reverse zones must be ones, and hold every egress address."""
    networks = reverse_networks(settings)
    for zone in reverse_zones(settings):
        meant = ptr.without_zeros(zone)
        # Below a name that dns.ptr.networks gives its addresses lie aliases, which may be called anything (RFC 2317).
        if meant != zone and not any(zone_of(name, (zone,)) for name in networks):
            yield rules.PTR_ZONE_ZEROS.found(zone=zone, meant=meant)
        elif not ptr.says_its_addresses(zone) and zone not in networks:
            yield rules.PTR_ZONE_NAME.found(zone=zone)
    for name, network in networks.items():
        if network.version != 4 or network.prefixlen < 24:
            yield rules.PTR_NETWORK.found(zone=name, network=network)
        elif zone_of(name, (*forward_zones(settings), *reverse_zones(settings))) is None:
            yield rules.PTR_NETWORK_ELSEWHERE.found(zone=name)
    for record in found.elsewhere:
        if isinstance(record.value, PTR) and settings.dns.ptr.provider == "zones":
            yield rules.PTR_ELSEWHERE.found(name=record.name)


def elsewhere(settings: Settings, found: Plan) -> Iterator[Finding]:
    """Hosts in zones that nobody named are published by nobody."""
    keys = Keys(settings)
    strangers = sorted(
        {r.name for r in found.elsewhere if not isinstance(r.value, PTR) and "._report." not in r.name}
    )
    if strangers and zone_of(settings.domain, forward_zones(settings)):
        yield rules.HOST_ELSEWHERE.found(path=keys.of(strangers[0]), names=some(strangers))
