"""DMARC: what receivers do with mail that claims our domains and does not pass (RFC 9989, which replaced RFC 7489)."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.mailto import mailto
from model.identity.rdata import TXT
from model.identity.record import Record
from model.settings import Settings


def text(settings: Settings, domain: str) -> str:
    """The record of `domain`. v first and p second, for readers of the older RFC; no pct, rf or ri, which are gone."""
    dmarc = settings.dmarc_of(domain)
    tags = {
        "v": "DMARC1",
        "p": dmarc.policy,
        "sp": dmarc.subdomain_policy,
        "np": _nonexistent(settings, domain),
        "t": "y" if dmarc.testing else None,
        "rua": ",".join(mailto(address) for address in rua(settings, domain)),
        "ruf": ",".join(mailto(address) for address in dmarc.ruf),
        "fo": dmarc.fo if dmarc.ruf else None,
    }
    return "; ".join(f"{tag}={value}" for tag, value in tags.items() if value)


def _nonexistent(settings: Settings, domain: str) -> str | None:
    """np= holds at once, beside p=none too: so nobody gets it unasked while another server still sends."""
    dmarc = settings.dmarc_of(domain)
    asked = settings.stage_of(domain) == "live" or "nonexistent_policy" in dmarc.model_fields_set
    return dmarc.nonexistent_policy if asked else None


def rua(settings: Settings, domain: str) -> tuple[str, ...]:
    """Addresses that receive aggregate reports about `domain`."""
    return settings.dmarc_of(domain).rua or (f"dmarc-reports@{settings.domain}",)


def reports(settings: Settings, domain: str) -> tuple[str, ...]:
    """Addresses that receive any report about `domain`."""
    return (*rua(settings, domain), *settings.dmarc_of(domain).ruf)


def every_report(settings: Settings) -> tuple[str, ...]:
    """Addresses that receive reports about any of our domains, each once."""
    return tuple(dict.fromkeys(a for domain in settings.domains for a in reports(settings, domain)))


def authorisations(settings: Settings) -> Iterator[tuple[str, str]]:
    """(mail domain, report domain) for every report that crosses organisations (RFC 9990 section 4).

    Names share an organisation when the walk from the lower one meets a record at the upper one (RFC 9989 section
    4.10). That is certain where the upper one is a mail domain of ours; for all others the consent is published,
    where a needless one does no harm.
    """
    ours = frozenset(settings.domains)
    for domain in settings.domains:
        for report in dict.fromkeys(address.rpartition("@")[2] for address in reports(settings, domain)):
            upper, lower = sorted((domain, report), key=len)
            same = domain == report or (lower.endswith(f".{upper}") and upper in ours)
            if not same:
                yield domain, report


def authorisation_name(domain: str, report: str) -> str:
    """Where `report` says that it takes reports about `domain` (RFC 9990 section 4)."""
    return f"{domain}._report._dmarc.{report}"


def records(settings: Settings) -> Iterator[Record]:
    """The policy of every mail domain, and the consent of the report domains to reports about other domains."""
    ttl = settings.dns.ttl
    for domain in settings.domains:
        body = TXT(text(settings, domain))
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
