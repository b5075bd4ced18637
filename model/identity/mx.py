"""MX: where mail for our domains arrives (RFC 5321 section 5)."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.rdata import MX
from model.identity.record import Record
from model.names import Names
from model.settings import Settings


def records(settings: Settings) -> Iterator[Record]:
    """One MX per mail domain; none while mail.mx.stage is hold, so that a live domain keeps its present server."""
    if settings.mail.mx.stage != "live":
        return
    value = MX(settings.mail.mx.preference, Names.of(settings).mx)
    for domain in settings.domains:
        yield Record(domain, value, settings.dns.ttl, f"Mail for @{domain} is delivered to this stack.")
