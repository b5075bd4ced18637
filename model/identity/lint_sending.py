"""Sending identity judged as a receiver would: SPF evaluated for each egress address, and the HELO/PTR/A triangle."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.identity.answers import Answers
from model.identity.egress import announced
from model.identity.hosts import Host, hosts
from model.identity.lint import Keys
from model.identity.place import reverse_zones
from model.identity.ptr import reverse_name
from model.identity.rdata import PTR
from model.identity.spf import MAX_BYTES, MAX_LOOKUPS, sources
from model.identity.spf_check import Evaluation, evaluate
from model.names import Names
from model.settings import Settings
from model.types import DOCUMENTATION

_EGRESS = "kolab:network.egress"
_CHOSEN = ("website", "mx", "imap", "smtp", "sieve", "turn")
_STRANGERS = ("203.0.113.251", "198.51.100.251", "192.0.2.251", "2001:db8:ffff::251")


def lint_sending(settings: Settings, answers: Answers) -> Iterator[Finding]:
    """Findings about what receivers would think of mail from each egress address."""
    yield from spf(settings, answers)
    yield from triangle(settings, answers)
    yield from shared_names(settings)
    yield from announced_addresses(settings)


def spf(settings: Settings, answers: Answers) -> Iterator[Finding]:
    """Every egress address passes for every mail domain, a stranger passes for none, within the limits."""
    egress = announced(settings)
    if egress and not sources(settings):
        yield Finding(
            rule="spf-relay-unknown",
            path=f"{_EGRESS}.spfInclude",
            problem="is missing, so no SPF record is published that could announce network.announcedEgress",
            fix="ask the relay's operator for the domain to include",
            source="RFC 7208 section 5.2",
        )
        return
    strangers = [address for address in _STRANGERS if address not in egress][:2]
    judged: set[tuple[str, ...]] = set()
    for domain in settings.domains:
        texts = answers.text(domain, "v=spf1")
        if texts in judged:
            continue
        judged.add(texts)
        for body in texts:
            if len(body) > MAX_BYTES:
                yield Finding(
                    rule="spf-size",
                    path=_EGRESS,
                    problem=f"gives an SPF record of {len(body)} bytes for {domain}; {MAX_BYTES} fit one answer",
                    fix="send through fewer addresses, through neighbouring ones, or through a gateway",
                    source="RFC 7208 section 3.4",
                )
        for address in (*egress, *strangers):
            found = evaluate(answers, address, domain)
            problem = _verdict(found, address, domain, ours=address in egress)
            if problem:
                yield Finding(
                    rule="spf-evaluation",
                    path=_EGRESS,
                    problem=problem,
                    fix="list every source address of mail under network.egress, and nobody else's",
                    source="RFC 7208 section 4.6",
                )


def _verdict(found: Evaluation, address: str, domain: str, *, ours: bool) -> str:
    if found.lookups > MAX_LOOKUPS:
        return f"makes receivers look up {found.lookups} names for {domain}; more than {MAX_LOOKUPS} void SPF"
    if found.result == "permerror":
        return f"gives {domain} an SPF record that receivers cannot evaluate"
    if ours and found.result != "pass":
        return f"lists {address}, but SPF of {domain} says {found.result} for it"
    if not ours and found.result == "pass":
        return f"lets the foreign address {address} pass SPF of {domain} through {found.matched}"
    return ""


def triangle(settings: Settings, answers: Answers) -> Iterator[Finding]:
    """The EHLO name has every egress address, and each address has that one name. A relay has its own."""
    helo, zones = Names.of(settings).helo, reverse_zones(settings)
    forward = answers.addresses(helo)
    for address in announced(settings):
        names = [v.target for v in answers.ask(reverse_name(address, zones), "PTR") if isinstance(v, PTR)]
        if address not in forward or names != [helo]:
            yield Finding(
                rule="helo-triangle",
                path="kolab:hosts.helo",
                problem=f"is {helo} with {', '.join(forward) or 'no address'}, but {address} is called {', '.join(names) or 'nothing'}",
                fix="let name and addresses lead to each other",
                source="RFC 8601 section 2.7.3",
            )


def shared_names(settings: Settings) -> Iterator[Finding]:
    """A name with two roles must lead to the same place for both; model/rules/names.py judges the chosen hosts."""
    keys = Keys(settings)
    by_name: dict[str, list[Host]] = {}
    for host in hosts(settings):
        by_name.setdefault(host.name, []).append(host)
    for name, roles in by_name.items():
        derived = [host for host in roles if host.role not in _CHOSEN]
        if derived and len({frozenset(host.addresses) for host in roles}) > 1:
            meant = "; ".join(f"{host.role} at {', '.join(host.addresses)}" for host in roles)
            helo = any(host.role == "helo" for host in roles)
            yield Finding(
                rule="host-two-places",
                path="kolab:hosts.helo" if helo else keys.of(name),
                problem=f"gives {name} two meanings, and clients would try the addresses of both: {meant}",
                fix=f"choose a name of its own, such as {'mail' if helo else 'mx'}.{settings.domain}",
            )


def announced_addresses(settings: Settings) -> Iterator[Finding]:
    """What is announced to the world must be an address of the world."""
    for address in settings.network.announced_egress:
        example = settings.example and any(
            address in n for n in DOCUMENTATION if n.version == address.version
        )
        if not address.is_global and not example:
            yield Finding(
                rule="egress-announced-private",
                path="kolab:network.announcedEgress",
                problem=f"holds {address}, which the Internet does not route",
                fix="write the public address that mail will leave from",
            )
