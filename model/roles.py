"""Addresses of roles instead of people: all of them lead to the mailbox that `mail.postmaster` names."""

from __future__ import annotations

from collections.abc import Mapping

from model.identity import dmarc
from model.settings import Settings


def addresses(settings: Settings) -> Mapping[str, str]:
    """Address -> mailbox; none while nobody is named.

    postmaster@ and abuse@ of every domain (RFC 5321 4.5.1, RFC 2142), the report addresses that our DNS names, and where
    bounces of redirected mail come whose sender was too long to be rewritten (components/scripts/postfix/srs.py).
    """
    mailbox = settings.mail.postmaster
    if mailbox is None:
        return {}
    reports = (
        settings.mail.reports.tls_rpt,
        settings.mail.reports.caa_iodef,
        *dmarc.every_report(settings),
    )
    own = [address for address in reports if address and address.rpartition("@")[2] in settings.domains]
    found = [f"{local}@{domain}" for domain in settings.domains for local in ("postmaster", "abuse")]
    found += [f"{local}@{settings.domain}" for local in ("tls-reports", "dmarc-reports", "redirected")]
    return {address: mailbox for address in (*found, *own) if address != mailbox}
