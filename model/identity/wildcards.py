"""Wildcards that answer for a mail domain today: none does any more once the name has a record (RFC 4592 section 2.2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from model.catalogue import places as rules
from model.findings import Finding
from model.identity.record import Record

_DELIVERING = ("MX", "A", "AAAA", "CNAME")
"""Types that mail finds its way by; addresses where there is no MX (RFC 5321 section 5.1)."""


def vanishing(planned: Iterable[Record], answered: Iterable[Record], zone: str) -> Iterator[Finding]:
    """Findings about answers that wildcards give at names without records of their own, and that ours would end."""
    ours = {(record.name, record.type) for record in planned}
    for record in answered:
        if (record.name, record.type) in ours:
            continue
        text = record.render()
        if record.type in _DELIVERING and (record.name, "MX") not in ours:
            yield rules.DNS_WILDCARD_ENDS.found(zone=zone, name=record.name, record=text)
        else:
            yield rules.DNS_WILDCARD_ENDS_BESIDE_MAIL.found(zone=zone, name=record.name, record=text)
