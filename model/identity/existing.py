"""What a zone holds already, beside what we would put there: first, do no harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from model.catalogue import places as rules
from model.findings import Finding
from model.identity.rdata import CNAME, TXT
from model.identity.record import Record

_KINDS = ("v=spf1", "v=DMARC1", "v=STSv1", "v=TLSRPTv1", "v=DKIM1")


def kind(record: Record) -> str:
    """What a TXT record is for, by how it begins; other types stand for themselves."""
    if not isinstance(record.value, TXT):
        return record.type
    text = record.value.text
    return next((k for k in _KINDS if text.lower().startswith(k.lower())), text.split("=")[0] or "TXT")


def conflicts(planned: Iterable[Record], existing: Iterable[Record], zone: str) -> Iterator[Finding]:
    """Findings about records of `existing` that `planned` would duplicate, or that would shadow it.

    Records that are equal already are no conflict.
    """
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    names: set[str] = set()
    for record in planned:
        wanted[record.name, kind(record)].add(record.content)
        names.add(record.name)
    for record in existing:
        mine = wanted.get((record.name, kind(record)))
        if mine is not None and record.content not in mine:
            yield rules.DNS_DUPLICATE.found(
                zone=zone, record=record.render(), planned=" | ".join(sorted(mine))
            )
        elif isinstance(record.value, CNAME) and record.name in names and mine is None:
            yield rules.DNS_ALIAS.found(zone=zone, record=record.render())
        elif record.name.startswith("*."):
            yield rules.DNS_WILDCARD.found(zone=zone, record=record.render())
