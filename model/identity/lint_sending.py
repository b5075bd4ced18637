"""Sending identity judged as a receiver would: SPF evaluated for each egress address, and the HELO/PTR/A triangle."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import egress as rules
from model.findings import Finding
from model.identity.answers import Answers
from model.identity.hosts import Host, hosts
from model.identity.lint import Keys
from model.identity.ptr import name_of
from model.identity.rdata import PTR
from model.identity.spf import MAX_BYTES, MAX_LOOKUPS, sources
from model.identity.spf_check import Evaluation, evaluate
from model.names import Names
from model.settings import Settings
from model.settings.dns import Hosts
from model.topology import egress_addresses
from model.types import DOCUMENTATION

_CHOSEN = Hosts.model_fields.keys() - {"helo", "monitoring"}
_HELO, _OTHER = ("mail", "out", "sends", "egress", "helo"), ("mx", "in", "web", "host", "edge")
"""Labels to propose for the HELO name, and for any other host; more of them than a host can hold."""
_STRANGERS = ("203.0.113.251", "198.51.100.251", "192.0.2.251", "2001:db8:ffff::251")


def lint_sending(settings: Settings, answers: Answers) -> Iterator[Finding]:
    """Findings about what receivers would think of mail from each egress address."""
    yield from spf(settings, answers)
    yield from triangle(settings, answers)
    yield from shared_names(settings)
    yield from announced_addresses(settings)


def spf(settings: Settings, answers: Answers) -> Iterator[Finding]:
    """Every egress address passes for every mail domain, a stranger passes for none, within the limits."""
    egress = egress_addresses(settings, announced=True)
    if egress and not sources(settings):
        yield rules.SPF_RELAY_UNKNOWN.found()
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
                yield rules.SPF_SIZE.found(size=len(body), domain=domain, most=MAX_BYTES)
        for address in (*egress, *strangers):
            found = evaluate(answers, address, domain)
            problem = _verdict(found, address, domain, ours=address in egress)
            if problem:
                yield rules.SPF_EVALUATION.found(problem=problem)


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
    helo = Names.of(settings).helo
    forward = answers.addresses(helo)
    for address in egress_addresses(settings, announced=True):
        names = [v.target for v in answers.ask(name_of(settings, address), "PTR") if isinstance(v, PTR)]
        if address not in forward or names != [helo]:
            yield rules.HELO_TRIANGLE.found(
                helo=helo,
                addresses=", ".join(forward) or "no address",
                address=address,
                names=", ".join(names) or "nothing",
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
            # Two roles meet at one name: whichever key the operator wrote is the one to change.
            helo = any(host.role == "helo" for host in roles) and settings.hosts.helo == name
            free = (f"{label}.{settings.domain}" for label in (_HELO if helo else _OTHER))
            yield rules.HOST_TWO_PLACES.found(
                path="kolab:hosts.helo" if helo else keys.of(name),
                name=name,
                meant=meant,
                instead=next(each for each in free if each not in by_name),
            )


def announced_addresses(settings: Settings) -> Iterator[Finding]:
    """What is announced to the world must be an address of the world."""
    for address in settings.network.announced_egress:
        example = settings.example and any(
            address in n for n in DOCUMENTATION if n.version == address.version
        )
        if not address.is_global and not example:
            yield rules.EGRESS_ANNOUNCED_PRIVATE.found(address=address)
