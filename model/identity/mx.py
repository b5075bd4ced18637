"""MX: where mail for our domains arrives (RFC 5321 section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from model.identity.rdata import MX
from model.identity.record import Record
from model.names import Names
from model.settings import Settings


def records(settings: Settings) -> Iterator[Record]:
    """MX of every mail domain; none on hold, so that a live domain keeps its present server, which stays first in shadow."""
    ttl, host = settings.dns.ttl, Names.of(settings).mx
    for domain in settings.taking:
        ours = MX(preference(settings, domain), host)
        why = (
            f"Mail for @{domain} is delivered to this stack where the servers before it do not answer."
            if settings.stage_of(domain) == "shadow"
            else f"Mail for @{domain} is delivered to this stack."
        )
        yield Record(domain, ours, ttl, why)
        for other in settings.other_mx_of(domain):
            order = "before" if other.preference < ours.preference else "where they do not reach us"
            value = MX(other.preference, other.host)
            yield Record(domain, value, ttl, f"Senders try {other.host} {order}; it is not ours.")


def preference(settings: Settings, domain: str) -> int:
    """Of our MX: in shadow behind all others, who are tried first."""
    own = settings.mail.mx.preference
    if settings.stage_of(domain) != "shadow":
        return own
    behind = (min(other.preference + _STEP, LAST) for other in settings.other_mx_of(domain))
    return max((own, *behind))


LAST = 65535
"""Greatest preference (RFC 1035 section 3.3.9); who has it has nobody behind (rule shadow-no-room)."""
_STEP = 10


def others(settings: Settings, domains: Iterable[str]) -> tuple[str, ...]:
    """Hosts of somebody else in the MX of any of these domains, each once."""
    every = (other.host for domain in domains for other in settings.other_mx_of(domain))
    return tuple(dict.fromkeys(every))
