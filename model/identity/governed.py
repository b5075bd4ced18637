"""Authorities that a zone names already, and hosts that CAA of ours would govern (RFC 8659 section 3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from model.catalogue import places as rules
from model.findings import Finding
from model.identity.place import suffixes
from model.identity.rdata import CAA
from model.identity.record import Record

USUAL = (
    "api",
    "app",
    "autoconfig",
    "autodiscover",
    "blog",
    "cdn",
    "chat",
    "cloud",
    "dev",
    "docs",
    "download",
    "files",
    "forum",
    "ftp",
    "git",
    "help",
    "imap",
    "intranet",
    "lists",
    "m",
    "mail",
    "media",
    "mta-sts",
    "mx",
    "news",
    "pop",
    "pop3",
    "portal",
    "shop",
    "smtp",
    "static",
    "status",
    "store",
    "support",
    "test",
    "vpn",
    "web",
    "webmail",
    "wiki",
    "www",
)
"""Names of hosts that organisations tend to have; a zone's names cannot be listed."""


def beside(planned: Iterable[Record], existing: Iterable[Record], zone: str) -> Iterator[Finding]:
    """Findings about authorities of others at names that get ours: nothing is shut out by them, and they stay."""
    ours = {(record.name, record.content) for record in planned if isinstance(record.value, CAA)}
    names = {name for name, _ in ours}
    for record in existing:
        value = record.value
        if isinstance(value, CAA) and record.name in names and (record.name, record.content) not in ours:
            nobody = value.tag != "iodef" and not value.value.partition(";")[0].strip()
            if nobody and value.tag == "issue":
                yield rules.DNS_CAA_NOBODY.found(zone=zone, record=record.render())
                continue
            mail = value.tag == "iodef"
            listed = "[]" if nobody else f"[{value.value}]"
            way = f"{value.tag}: {value.value.removeprefix('mailto:') if mail else listed}"
            yield rules.DNS_CAA_BESIDE.found(
                zone=zone, record=record.render(), domain=record.name, way=f"{{{way}}}"
            )


def governed(
    planned: Iterable[Record], existing: Iterable[Record], zone: str, domains: Collection[str]
) -> Iterator[Finding]:
    """Findings about hosts below a mail domain that get CAA above them for the first time."""
    ours = list(planned)
    there = list(existing)
    own = {record.name for record in (*ours, *there) if isinstance(record.value, CAA)}
    held = {record.name for record in there if isinstance(record.value, CAA)}
    for domain in domains:
        authorities = [
            record.value.value.partition(";")[0]
            for record in ours
            if record.name == domain and isinstance(record.value, CAA) and record.value.tag == "issue"
        ]
        below_it = dict.fromkeys(
            record.name
            for record in there
            if record.name.endswith(f".{domain}")
            and record.type in ("A", "AAAA", "CNAME", "NS")
            # A name with _ is no host, and has no certificate.
            and "_" not in record.name
            and not any(name in own for name in _up_to(record.name, domain))
        )
        if authorities and below_it and domain not in held:
            yield rules.DNS_CAA_GOVERNS.found(
                zone=zone,
                name=domain,
                domain=domain,
                hosts=", ".join(below_it),
                authorities=" and ".join(authorities),
            )


def _up_to(name: str, domain: str) -> list[str]:
    """`name` and what is above it, below `domain`."""
    return [each for each in suffixes(name) if each != domain and each.endswith(f".{domain}")]
