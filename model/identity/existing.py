"""What a zone holds already, beside what we would put there: first, do no harm."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from model.catalogue import places as rules
from model.findings import Finding
from model.identity import merging
from model.identity.presentation import absolute
from model.identity.rdata import CAA, CNAME, ROOT, TXT
from model.identity.record import Record

_KINDS = ("v=spf1", "v=DMARC1", "v=STSv1", "v=TLSRPTv1", "v=DKIM1")
_VERSION = re.compile(r"\s*(v)\s*=\s*([A-Za-z0-9]+)", re.IGNORECASE)
_MAIL_PORTS = ("25", "143", "443", "465", "587", "993", "4190")
_LEADING = ("A", "AAAA", "HTTPS", "SVCB")


def kind(record: Record) -> str:
    """What a TXT record is for, by how it begins, in any spelling that its readers accept; other types stand for themselves.

    Spaces around = are allowed in all but SPF (RFC 6376 section 3.2), and DKIM keys need no v= (section 3.6.1).
    """
    if not isinstance(record.value, TXT):
        return record.type
    text = record.value.text
    match = _VERSION.match(text)
    version = f"v={match[2]}".lower() if match else ""
    known = next((k for k in _KINDS if version == k.lower()), None)
    if known is None and "._domainkey." in record.name:
        return "v=DKIM1"
    return known or text.split("=")[0] or "TXT"


def questions(planned: Iterable[Record]) -> set[tuple[str, str]]:
    """What to ask a zone, so that nothing in the way of these records is missed."""
    found: set[tuple[str, str]] = set()
    for record in planned:
        found |= {(record.name, record.type), (record.name, "CNAME"), (record.name, "DNAME")}
        if record.type in ("A", "AAAA"):
            found |= {(record.name, each) for each in _LEADING}
            found |= {(f"_{port}._tcp.{record.name}", "TLSA") for port in _MAIL_PORTS}
        if record.type == "MX" and record.target != ROOT:
            found.add((f"_mta-sts.{record.name}", "TXT"))
    return found


def conflicts(planned: Iterable[Record], existing: Iterable[Record], zone: str) -> Iterator[Finding]:
    """Findings about records of `existing` that `planned` would duplicate, or that would shadow it.

    Records that are equal already are no conflict.
    """
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    names: set[str] = set()
    domains: set[str] = set()
    for record in planned:
        wanted[record.name, kind(record)].add(record.content)
        names.add(record.name)
        if record.type == "MX" and record.target != ROOT:
            domains.add(record.name)
    hosts = {name for name, each in wanted if each in ("A", "AAAA")}
    addresses = {content for (_, each), found in wanted.items() if each in ("A", "AAAA") for content in found}
    for record in existing:
        mine = wanted.get((record.name, kind(record)))
        if isinstance(record.value, CAA) and mine is not None:
            continue
        if mine is not None and record.content not in mine:
            planned_text = " | ".join(sorted(mine))
            if way := _merged(record, planned_text):
                yield rules.DNS_DUPLICATE_POLICY.found(
                    zone=zone, record=record.render(), planned=planned_text, way=way
                )
            else:
                yield rules.DNS_DUPLICATE.found(zone=zone, record=record.render(), planned=planned_text)
        elif isinstance(record.value, CNAME) and record.name in names and mine is None:
            yield rules.DNS_ALIAS.found(zone=zone, record=record.render())
        elif mine is None and _leads_elsewhere(record, hosts, addresses):
            yield rules.DNS_LEADS_ELSEWHERE.found(zone=zone, record=record.render())
        elif mine is None and _left_behind(record, hosts, domains):
            yield rules.DNS_LEFT_BEHIND.found(zone=zone, record=record.render())
        elif record.type in ("DNAME", "NS") and any(below(name, record) for name in names):
            yield rules.DNS_CUT.found(zone=zone, record=record.render())
        elif record.name.startswith("*."):
            yield rules.DNS_WILDCARD.found(zone=zone, record=record.render())


def _merged(record: Record, planned: str) -> str | None:
    """How the stack file keeps what another's policy says."""
    if not isinstance(record.value, TXT) or record.name.startswith("*."):
        return None
    if kind(record) == "v=spf1" and planned != '"v=spf1 -all"':
        return merging.spf(record.name, record.value.text, planned.replace('" "', "").strip('"'))
    if kind(record) == "v=DMARC1" and record.name.startswith("_dmarc."):
        return merging.dmarc(record.name.removeprefix("_dmarc."), record.value.text)
    return None


def _leads_elsewhere(record: Record, hosts: Collection[str], addresses: Collection[str]) -> bool:
    """Whether clients of a host of ours would be led to another address, port or name (RFC 9460)."""
    if record.name not in hosts:
        return False
    if record.type in ("A", "AAAA"):
        return True
    if record.type not in ("HTTPS", "SVCB"):
        return False
    _, target, *parameters = record.content.split()
    hints = {key: value.strip('"') for key, _, value in (each.partition("=") for each in parameters)}
    hinted = [a for key in ("ipv4hint", "ipv6hint") for a in hints.get(key, "").split(",") if a]
    named = target not in (".", absolute(record.name))
    return named or "port" in hints or any(address not in addresses for address in hinted)


def _left_behind(record: Record, hosts: Collection[str], domains: Collection[str]) -> bool:
    """Whether it is a key of a host of ours, or a policy of a domain whose mail comes here."""
    if record.type == "TLSA":
        return record.name.partition("._tcp.")[2] in hosts
    return kind(record) == "v=STSv1" and record.name.removeprefix("_mta-sts.") in domains


def below(name: str, record: Record) -> bool:
    """Whether a name lies in what the record hands to somebody else: below a DNAME, at or below an NS."""
    return name.endswith(f".{record.name}") or (record.type == "NS" and name == record.name)
