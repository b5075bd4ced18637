"""What no set of records may contain, whoever made it: names that do not fit, clashes, aliases in the wrong place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from model.catalogue import records as rules
from model.findings import Finding
from model.identity.answers import Answers
from model.identity.place import suffixes
from model.identity.rdata import MX, NS, PTR, SRV, TXT
from model.identity.record import Record
from model.settings import Settings

MAX_NAME = 253
"""Characters of a name without the final dot (RFC 1035 section 2.3.4)."""
MAX_LABEL = 63
"""Bytes between two dots (RFC 1035 section 2.3.4)."""
UDP_BYTES = 1232
"""Answers above this are cut or fragmented on the way (DNS flag day 2020)."""

_ONLY_ONE = {
    "v=spf1": ("SPF", "RFC 7208 section 4.5"),
    "v=DMARC1": ("DMARC", "RFC 9989 section 4.10"),
    "v=STSv1": ("MTA-STS", "RFC 8461 section 3.1"),
    "v=TLSRPTv1": ("TLS-RPT", "RFC 8460 section 3"),
    "v=DKIM1": ("DKIM", "RFC 6376 section 3.6.2.2"),
}


def lint(settings: Settings, records: Iterable[Record]) -> Iterator[Finding]:
    """Findings about these records, each with the key that the name comes from."""
    keys = Keys(settings)
    by_name: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_name[record.name].append(record)
    answers = Answers(record for found in by_name.values() for record in found)
    for name, found in by_name.items():
        yield from _fits(name, keys)
        if len(found) > 1:
            yield from _clashes(name, found, keys)
    yield from _targets(by_name, answers, keys)


class Keys:
    """Finds the key of the stack file that a DNS name was made from."""

    def __init__(self, settings: Settings) -> None:
        chosen = settings.hosts.model_dump(exclude_none=True)
        self._keys = {domain: f"kolab:hostedDomains[{i}]" for i, domain in enumerate(settings.hosted_domains)}
        self._keys[settings.domain] = "kolab:domain"
        for role, host in chosen.items():
            self._keys.setdefault(host, f"kolab:hosts.{role}")

    def of(self, name: str) -> str:
        """The key behind `name`: its own, or that of the nearest name above it."""
        if name.endswith(".arpa"):
            return "kolab:dns.ptr"
        return next((self._keys[s] for s in suffixes(name) if s in self._keys), "kolab:domain")


def _fits(name: str, keys: Keys) -> Iterator[Finding]:
    if len(name) <= MAX_NAME and max(map(len, name.split("."))) <= MAX_LABEL:
        return
    # A name below _hosted or _report carries a second domain: the longer, inner one is to blame.
    inner = name.partition("._hosted.")[0].partition("._report.")[0]
    yield rules.DNS_NAME_TOO_LONG.found(
        path=keys.of(inner), name=name[:60], length=len(name), most=MAX_NAME, most_between=MAX_LABEL
    )


def _clashes(name: str, found: list[Record], keys: Keys) -> Iterator[Finding]:
    types = sorted({record.type for record in found})
    if "CNAME" in types:
        others = [kind for kind in types if kind != "CNAME"] or ["a second CNAME"]
        yield rules.DNS_CNAME_CLASH.found(path=keys.of(name), name=name, others=", ".join(others))
    texts = [record.value.text for record in found if isinstance(record.value, TXT)]
    for start, (what, source) in _ONLY_ONE.items():
        same = [text for text in texts if text.startswith(start)]
        if len(same) > 1:
            yield rules.DNS_TWICE.found(
                path=keys.of(name),
                name=name,
                number=len(same),
                what=what,
                texts=" | ".join(same),
                source=source,
            )
    exchanges = [record.value for record in found if isinstance(record.value, MX)]
    if len(exchanges) > 1 and any(mx.exchange == "." for mx in exchanges):
        yield rules.DNS_NULL_MX.found(path=keys.of(name), name=name)
    size = sum(len(record.content) + 14 for record in found if record.type == "TXT")
    if size > UDP_BYTES:
        yield rules.DNS_TXT_SIZE.found(path=keys.of(name), name=name, size=size, most=UDP_BYTES)


def _targets(by_name: dict[str, list[Record]], answers: Answers, keys: Keys) -> Iterator[Finding]:
    """Targets of MX, SRV, NS and PTR are hosts, never aliases (RFC 2181 section 10.3, RFC 2782)."""
    users: dict[str, Record] = {}
    for found in by_name.values():
        for record in found:
            if record.target and isinstance(record.value, MX | SRV | NS | PTR):
                users.setdefault(record.target, record)
    for target, record in users.items():
        alias = answers.alias(target)
        if alias:
            yield rules.DNS_TARGET_ALIAS.found(
                path=keys.of(target), target=target, alias=alias, kind=record.type, name=record.name
            )
