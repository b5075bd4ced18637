"""MX: where mail for our domains arrives (RFC 5321 section 5)."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.rdata import MX
from model.identity.record import Record
from model.names import Names
from model.settings import Settings


def records(settings: Settings) -> Iterator[Record]:
    """MX of every mail domain; none while mail.mx.stage is hold, so that a live domain keeps its present server."""
    if settings.mail.mx.stage != "live":
        return
    ttl, ours = settings.dns.ttl, MX(settings.mail.mx.preference, Names.of(settings).mx)
    for domain in settings.domains:
        yield Record(domain, ours, ttl, f"Mail for @{domain} is delivered to this stack.")
        for other in settings.other_mx_of(domain):
            order = "before" if other.preference < ours.preference else "where they do not reach us"
            value = MX(other.preference, other.host)
            yield Record(domain, value, ttl, f"Senders try {other.host} {order}; it is not ours.")


def others(settings: Settings) -> tuple[str, ...]:
    """Hosts of somebody else in any MX of ours, each once."""
    every = (other.host for domain in settings.domains for other in settings.other_mx_of(domain))
    return tuple(dict.fromkeys(every))
