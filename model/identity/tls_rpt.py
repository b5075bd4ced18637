"""TLS-RPT: senders report when encryption to us fails (RFC 8460)."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.mailto import mailto
from model.identity.rdata import TXT
from model.identity.record import Record
from model.names import Names
from model.settings import Settings


def rua(settings: Settings) -> str:
    """Address that receives TLS reports."""
    return settings.mail.reports.tls_rpt or f"tls-reports@{settings.domain}"


def text(settings: Settings) -> str:
    """The record, the same everywhere (RFC 8460 section 3). Reports may cross domains without consent."""
    return f"v=TLSRPTv1; rua={mailto(rua(settings))}"


def records(settings: Settings) -> Iterator[Record]:
    """One per mail domain for MTA-STS results, one at the MX name for DANE results (RFC 8460).

    On hold the domain's reports are about the server of somebody else, who reads them.
    """
    body = TXT(text(settings))
    for domain in settings.domains if settings.mail.mx.stage == "live" else ():
        why = f"Senders report TLS failures on the way to @{domain}."
        yield Record(f"_smtp._tls.{domain}", body, settings.dns.ttl, why)
    yield Record(
        f"_smtp._tls.{Names.of(settings).mx}",
        body,
        settings.dns.ttl,
        "Senders with DANE report about the MX host instead of the domain.",
    )
