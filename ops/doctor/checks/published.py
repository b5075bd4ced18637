"""Planned records as the authoritative servers have them: one check per part of the service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from model.identity.ptr import name_of
from model.identity.rdata import CNAME, ROOT, TXT, Value
from model.identity.record import Record
from ops.doctor.check import Check, Unseen
from ops.doctor.visit import Visit

_PUSH = "./kolab dns push --stack {stack}, or ./kolab dns export and your servers' way; ./kolab dns tickets for what others publish"

_ADDRESS = ("A", "AAAA")
_UNDERSCORED = (
    ("._domainkey.", "dkim"),
    ("._dmarc.", "dmarc"),
    ("._mta-sts.", "mta-sts"),
    ("._smtp._tls.", "tls-rpt"),
    ("._acme-challenge.", "caa"),
    ("._tcp.", "discovery"),
)


def part_of(visit: Visit, record: Record) -> str:  # noqa: PLR0911 (a table of cases)
    """The part of the service that a record belongs to."""
    name, kind = record.name, record.type
    if kind == "TLSA":
        return "dane"
    if kind == "PTR" or name in {name_of(visit.settings, address) for address in visit.egress}:
        return "reverse"
    for mark, part in _UNDERSCORED:
        if mark in f".{name}":
            return part
    if isinstance(record.value, TXT):
        return "ownership" if record.value.text.startswith("kolab-verify=") else "spf"
    if kind == "CAA":
        return "caa"
    if kind == "MX":
        return "mx" if name in visit.settings.domains else "null-mx"
    if name == visit.names.helo:
        return "reverse"
    first = name.partition(".")[0]
    return {"mta-sts": "mta-sts", "autoconfig": "discovery", "autodiscover": "discovery"}.get(first, "hosts")


def _of(part: str) -> Callable[[Visit], Iterable[Planned]]:
    def found(visit: Visit) -> Iterator[Planned]:
        for records in visit.planned.values():
            own = tuple(record for record in records if part_of(visit, record) == part)
            if own:
                yield Planned(own)

    return found


@dataclass(frozen=True)
class Planned:
    """The records of one part of the service at one name, of one type."""

    records: tuple[Record, ...]

    def __str__(self) -> str:
        return f"{self.records[0].name} {self.records[0].type}"


def differences(visit: Visit, planned: Planned) -> Iterator[str]:
    """What each authoritative server has otherwise than planned."""
    name, kind = planned.records[0].name, planned.records[0].type
    wanted, silent, heard = frozenset(record.value for record in planned.records), [], False
    for server in visit.dns.servers(name):
        try:
            answer = visit.dns.at(server, name, kind)
        except Unseen as problem:
            silent.append(str(problem))
            continue
        heard = True
        if answer.alias:
            # Nothing can stand beside an alias: the host's address says so for all that is missing with it.
            if kind not in _ADDRESS and any((name, each) in visit.planned for each in _ADDRESS):
                continue
            yield f"{server[0]}: {name} is an alias of {answer.alias}, where {kind} {_shown(wanted)} belongs"
            continue
        have = frozenset(answer.values)
        missing = wanted - have
        # Others may have texts of their own beside ours, but no second record of the same kind.
        extra = _rivals(wanted, have) if kind == "TXT" else have - wanted
        if missing:
            yield f"{server[0]}: {name} {kind} lacks {_shown(missing)}"
        if extra:
            yield f"{server[0]}: {name} {kind} has {_shown(extra)} besides what is planned"
    if not heard:
        raise Unseen("; ".join(silent))


def _rivals(wanted: frozenset[Value], have: frozenset[Value]) -> frozenset[Value]:
    marks = {_mark(value) for value in wanted} - {""}
    return frozenset(value for value in have - wanted if _mark(value) in marks)


def _mark(value: Value) -> str:
    """The version that a text begins with, such as v=spf1; empty for other texts."""
    text = value.text.lower() if isinstance(value, TXT) else ""
    return re.split(r"[;\s]", text)[0] if text.startswith("v=") else ""


def _shown(values: Iterable[Value]) -> str:
    return ", ".join(sorted(str(value) for value in values))[:200]


def _published(part: str, what: str, reason: str) -> Check:
    return Check(
        id=f"{part}-record",
        concern=part,
        promise=f"Every authoritative server has {what} as planned.",
        reason=reason,
        fix=_PUSH,
        subjects=_of(part),
        look=differences,
    )


def _targets(visit: Visit) -> Iterator[str]:
    found = {r.target for records in visit.planned.values() for r in records if r.type in ("MX", "SRV")}
    yield from sorted(target for target in found if target and target != ROOT)


def _alias(visit: Visit, name: str) -> Iterator[str]:
    values = visit.dns.at(visit.dns.servers(name)[0], name, "CNAME").values
    for value in values:
        if isinstance(value, CNAME):
            yield f"{name} is an alias of {value.target}"


CHECKS = (
    _published(
        "hosts",
        "the addresses of every public host",
        "People and servers do not find the host, or find another.",
    ),
    _published("mx", "the MX of every mail domain", "Mail for the domain goes elsewhere or bounces."),
    _published(
        "null-mx",
        "the null MX of hosts without mailboxes",
        "Anybody can write in the name of such a host, and its bounces come back.",
    ),
    _published(
        "spf", "the SPF record of every name", "Receivers take our mail for forged, or forged mail for ours."
    ),
    _published("dkim", "the key of every DKIM selector", "Signatures of our mail cannot be verified."),
    _published(
        "dmarc",
        "the DMARC policies and consents",
        "Receivers do with forged mail what they like, and no report comes.",
    ),
    _published(
        "mta-sts", "the MTA-STS records and hosts", "Senders do not learn the policy, or keep an old one."
    ),
    _published("tls-rpt", "the TLS-RPT records", "Nobody tells us that encryption to us fails."),
    _published(
        "dane", "the TLSA records of port 25", "Senders with DANE defer our mail when the key is missing."
    ),
    _published(
        "caa",
        "the CAA records and delegated ACME challenges",
        "Certificates are not renewed, or strangers get some.",
    ),
    _published(
        "discovery",
        "the SRV records and hosts that mail programs look for",
        "People have to type servers and ports.",
    ),
    _published("ownership", "the code that proves each domain", "Kolab does not accept the domain."),
    _published(
        "reverse",
        "the reverse names of egress addresses and the addresses of their name",
        "Large receivers refuse our mail.",
    ),
    Check(
        id="hosts-no-alias",
        concern="hosts",
        promise="No MX or SRV leads to an alias (RFC 2181 section 10.3).",
        reason="Some senders refuse to follow an alias, and mail to us comes late or never.",
        fix="replace the CNAME with the addresses: ./kolab dns show --wide --stack {stack}",
        subjects=_targets,
        look=_alias,
    ),
)
