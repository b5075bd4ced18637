"""TLS-RPT: senders report when encryption to us fails (RFC 8460)."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.mailto import mailto
from model.identity.rdata import TXT
from model.identity.record import Record
from model.names import Names
from model.settings import Settings


def rua(settings: Settings, domain: str | None = None) -> str:
    """Address that receives TLS reports about `domain`, or about the MX host."""
    own = settings.per_domain.get(domain or "")
    return (own and own.tls_rpt) or settings.mail.reports.tls_rpt or f"tls-reports@{settings.domain}"


def text(settings: Settings, domain: str | None = None) -> str:
    """The record (RFC 8460 section 3). Reports may cross domains without consent."""
    return f"v=TLSRPTv1; rua={mailto(rua(settings, domain))}"


def records(settings: Settings) -> Iterator[Record]:
    """One per mail domain for MTA-STS results, one at the MX name for DANE results (RFC 8460).

    Until it is live the reports about a domain, and about a host that is named as one, are about the server of somebody
    else, who reads them.
    """
    for domain in settings.live:
        why = f"Senders report TLS failures on the way to @{domain}."
        yield Record(f"_smtp._tls.{domain}", TXT(text(settings, domain)), settings.dns.ttl, why)
    host = Names.of(settings).mx
    if host in settings.live or host not in settings.domains:
        why = "Senders with DANE report about the MX host instead of the domain."
        yield Record(f"_smtp._tls.{host}", TXT(text(settings)), settings.dns.ttl, why)
