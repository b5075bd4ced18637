"""DMARC: what receivers do with mail that claims our domains and does not pass (RFC 9989, which replaced RFC 7489)."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.mailto import mailto
from model.identity.rdata import TXT
from model.identity.record import Record
from model.settings import Settings


def text(settings: Settings) -> str:
    """The record of every mail domain. v first and p second, for readers of the older RFC; no pct, rf or ri, which are gone."""
    dmarc = settings.mail.dmarc
    tags = {
        "v": "DMARC1",
        "p": dmarc.policy,
        "sp": dmarc.subdomain_policy,
        "np": dmarc.nonexistent_policy,
        "t": "y" if dmarc.testing else None,
        "rua": ",".join(mailto(address) for address in rua(settings)),
    }
    return "; ".join(f"{tag}={value}" for tag, value in tags.items() if value)


def rua(settings: Settings) -> tuple[str, ...]:
    """Addresses that receive aggregate reports."""
    return settings.mail.dmarc.rua or (f"dmarc-reports@{settings.domain}",)


def authorisations(settings: Settings) -> Iterator[tuple[str, str]]:
    """(mail domain, report domain) for every report that crosses organisations (RFC 9990 section 4).

    Names share an organisation when the walk from the lower one meets a record at the upper one (RFC 9989 section
    4.10). That is certain where the upper one is a mail domain of ours; for all others the consent is published,
    where a needless one does no harm.
    """
    ours = frozenset(settings.domains)
    reports = tuple(dict.fromkeys(address.rpartition("@")[2] for address in rua(settings)))
    for domain in settings.domains:
        for report in reports:
            upper, lower = sorted((domain, report), key=len)
            same = domain == report or (lower.endswith(f".{upper}") and upper in ours)
            if not same:
                yield domain, report


def authorisation_name(domain: str, report: str) -> str:
    """Where `report` says that it takes reports about `domain` (RFC 9990 section 4)."""
    return f"{domain}._report._dmarc.{report}"


def records(settings: Settings) -> Iterator[Record]:
    """The policy of every mail domain, and the consent of the report domains to reports about other domains."""
    body = TXT(text(settings))
    ttl = settings.dns.ttl
    for domain in settings.domains:
        yield Record(
            f"_dmarc.{domain}", body, ttl, f"Policy for mail that claims @{domain} and fails (RFC 9989)."
        )
    for domain, report in authorisations(settings):
        yield Record(
            authorisation_name(domain, report),
            TXT("v=DMARC1"),
            ttl,
            f"{report} takes DMARC reports about {domain}; without it receivers send none (RFC 9990 section 4).",
        )
