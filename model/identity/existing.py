"""What a zone holds already, beside what we would put there: first, do no harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

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
        path = f"kolab:dns.zones.{zone}"
        if mine is not None and record.content not in mine:
            yield Finding(
                rule="dns-duplicate",
                path=path,
                problem=f"holds {record.render()} beside what this stack publishes there: {' | '.join(sorted(mine))}",
                fix="remove it at the provider, or import it (`./kolab pulumi import`) so that this stack changes it instead",
            )
        elif isinstance(record.value, CNAME) and record.name in names and mine is None:
            yield Finding(
                rule="dns-alias",
                path=path,
                problem=f"holds {record.render()}, and nothing may stand beside an alias",
                fix="remove it at the provider before this stack publishes there",
                source="RFC 1034 section 3.6.2",
            )
        elif record.name.startswith("*."):
            yield Finding(
                rule="dns-wildcard",
                path=path,
                severity="warning",
                problem=f"holds {record.render()}, which answers for every name that does not exist",
                fix="see that it is not meant for mail: receivers ask for names such as _dmarc and _mta-sts",
                source="RFC 4592",
            )
