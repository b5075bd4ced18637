"""Addresses of roles instead of people: all of them lead to the mailbox that `mail.postmaster` names, those of reports to the
one of `monitoring.reports`, where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from model.identity import dmarc, tls_rpt
from model.settings import Settings


def addresses(settings: Settings) -> Mapping[str, str]:
    """Address -> mailbox; none while nobody is named.

    postmaster@ and abuse@ of every domain (RFC 5321 4.5.1, RFC 2142), the report addresses that our DNS names, and where
    bounces of redirected mail come whose sender was too long to be rewritten (components/scripts/postfix/srs.py).
    """
    people, reader = settings.mail.postmaster, settings.monitoring.report_reader
    reports = (
        settings.mail.reports.tls_rpt,
        settings.mail.reports.caa_iodef,
        *dmarc.every_report(settings),
    )
    local = [f"{local}@{domain}" for domain in settings.domains for local in ("postmaster", "abuse")]
    local += [f"{local}@{settings.domain}" for local in ("tls-reports", "dmarc-reports", "redirected")]
    found: dict[str, str | None] = dict.fromkeys((*local, *_own(settings, reports)), people)
    if reader:
        found |= dict.fromkeys(_counted(settings), reader.mailbox)
    return {address: mailbox for address, mailbox in found.items() if mailbox and address != mailbox}


def _counted(settings: Settings) -> Iterator[str]:
    """Addresses of reports that programs write for programs."""
    yield from (f"{local}@{settings.domain}" for local in ("tls-reports", "dmarc-reports"))
    for domain in settings.domains:
        wanted = (*dmarc.rua(settings, domain), tls_rpt.rua(settings, domain), tls_rpt.rua(settings))
        yield from _own(settings, wanted)


def _own(settings: Settings, addresses: Iterable[str | None]) -> list[str]:
    return [each for each in addresses if each and each.rpartition("@")[2] in settings.domains]
