"""Who publishes each record and who reads each report: gaps between our zones and other people's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.findings import Finding
from model.identity import dkim, dmarc
from model.identity.hosts import hosts
from model.identity.lint import Keys
from model.identity.place import foreign_domains, forward_zones, reverse_zones, zone_of
from model.identity.plan import Plan
from model.identity.rdata import PTR
from model.settings import Settings

_REVERSE = re.compile(r"^([0-9a-f]+([-/][0-9]+)?\.)+(in-addr|ip6)\.arpa$")


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
    given = [(f"kolab:mail.dmarc.rua[{i}]", a) for i, a in enumerate(settings.mail.dmarc.rua)]
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
            yield Finding(
                rule="address-at-host",
                path=path,
                problem=f"is {address}, but {domain} is a host of this stack and takes no mail",
                fix=f"use an address of a mail domain, such as {settings.domain}",
                source="RFC 7505 section 3",
            )
    zones = forward_zones(settings)
    missing: dict[str, list[str]] = {}
    for domain, report in dmarc.authorisations(settings):
        if zone_of(report, zones) is None:
            missing.setdefault(report, []).append(domain)
    for report, domains in missing.items():
        yield Finding(
            rule="dmarc-consent",
            path="kolab:mail.dmarc.rua",
            severity="warning",
            problem=f"names {report}, which is in no zone of ours and must consent to reports about {_some(domains)}",
            fix=f'ask its owner for TXT {dmarc.authorisation_name(domains[0], report)} "v=DMARC1" (see the tickets), then acknowledge it',
            source="RFC 9990 section 4",
        )


def forward(settings: Settings) -> Iterator[Finding]:
    """The primary domain needs a zone, and Cloudflare needs its id."""
    dns, zones = settings.dns, forward_zones(settings)
    if zone_of(settings.domain, zones) is None:
        yield Finding(
            rule="zone-missing",
            path="kolab:dns.zones",
            problem=f"has no zone for {settings.domain}, so none of its records could be published",
            fix=f"add {settings.domain}: <zone id>"
            if dns.provider == "cloudflare"
            else f'add {settings.domain}: ""',
        )
    for zone, identifier in dns.zones.items():
        if dns.provider == "cloudflare" and not identifier:
            yield Finding(
                rule="zone-without-id",
                path=f"kolab:dns.zones.{zone}",
                problem="has no zone id",
                fix="copy the zone id from Cloudflare's overview page of the zone",
            )


def foreign_owners(settings: Settings) -> Iterator[Finding]:
    """Owners of foreign domains publish once, so what they publish must last."""
    foreign = foreign_domains(settings)
    if foreign:
        yield Finding(
            rule="domain-foreign",
            path="kolab:hostedDomains",
            severity="warning",
            problem=f"has domains in no zone of ours: {_some(foreign)}",
            fix="send their owners the CNAME sheet (./kolab dns tickets) and acknowledge it, or add their zones to dns.zones",
        )
        spare = set(dkim.promised(settings)) - {
            name for name, key in settings.mail.dkim.selectors.items() if key.stage != "staged"
        }
        if not spare:
            yield Finding(
                rule="dkim-nothing-reserved",
                path="kolab:mail.dkim.reserved",
                severity="warning",
                problem=f"is empty: the next DKIM rotation would need new CNAMEs from the owners of {_some(foreign)}",
                fix="reserve the names of the next selectors before you send the sheet",
            )


def servers(settings: Settings) -> Iterator[Finding]:
    """Zone files need servers that can be found, web names an address."""
    dns, zones = settings.dns, forward_zones(settings)
    if (
        dns.provider == "zonefile"
        and not dns.nameservers
        and not (settings.example or settings.kubernetes.render)
    ):
        yield Finding(
            rule="nameservers-unknown",
            path="kolab:dns.nameservers",
            severity="warning",
            problem="is empty, so the zone files name a placeholder as their server",
            fix="list the authoritative servers, or acknowledge it if you only import the files",
        )
    for server, addresses in dns.nameservers.items():
        if not addresses and zone_of(server, zones):
            yield Finding(
                rule="nameserver-without-address",
                path=f"kolab:dns.nameservers.{server}",
                problem="is inside one of our zones but has no address, so nobody could find it",
                fix=f"write {server}: [<address>]",
                source="RFC 1034 section 4.2.1",
            )
    ingress = settings.network.ingress
    if ingress and not ingress.addresses:
        yield Finding(
            rule="ingress-without-address",
            path="kolab:network.ingress.addresses",
            severity="warning",
            problem="is empty, so no A record of a web name is published",
            fix="list the public addresses of the controller, or acknowledge that something else publishes them",
        )


def reverse(settings: Settings, found: Plan) -> Iterator[Finding]:
    """Reverse zones must be ones, and hold every egress address."""
    for zone in reverse_zones(settings):
        if not _REVERSE.match(zone):
            yield Finding(
                rule="ptr-zone-name",
                path=f"kolab:dns.ptr.zones.{zone}",
                problem="is no reverse zone",
                fix="write it as 2.0.192.in-addr.arpa, 0-15.2.0.192.in-addr.arpa or 8.b.d.0.1.0.0.2.ip6.arpa",
                source="RFC 2317 section 4",
            )
    for record in found.elsewhere:
        if isinstance(record.value, PTR) and settings.dns.ptr.provider == "zones":
            yield Finding(
                rule="ptr-elsewhere",
                path="kolab:dns.ptr.zones",
                severity="warning",
                problem=f"has no zone for {record.name}",
                fix="add the zone, or ask the owner of the address (see the tickets) and acknowledge it",
            )


def elsewhere(settings: Settings, found: Plan) -> Iterator[Finding]:
    """Hosts in zones that nobody named are published by nobody."""
    keys = Keys(settings)
    strangers = sorted(
        {r.name for r in found.elsewhere if not isinstance(r.value, PTR) and "._report." not in r.name}
    )
    if strangers and zone_of(settings.domain, forward_zones(settings)):
        yield Finding(
            rule="host-elsewhere",
            path=keys.of(strangers[0]),
            severity="warning",
            problem=f"leads to names in no zone of ours: {_some(strangers)}",
            fix="add the zone to dns.zones, or ask its owner (see the tickets) and acknowledge it",
        )


def _some(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
