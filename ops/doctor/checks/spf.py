"""SPF as receivers evaluate it, from the published records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.identity.rdata import Value
from model.identity.spf import MAX_BYTES, MAX_LOOKUPS, MAX_VOIDS, ending
from model.identity.spf_check import Evaluation, evaluate
from model.identity.spf_count import Uncountable, count
from model.identity.spf_terms import of_spf
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import REFUSED, SHOW_AND_PUSH
from ops.doctor.visit import Visit

_STRANGER = {4: "203.0.113.254", 6: "2001:db8:ffff::254"}
"""Addresses of documentation (RFC 5737, RFC 3849): nobody sends from there, and no record may let them."""


@dataclass(frozen=True)
class Live:
    """The published world, in the shape that the evaluator of the model asks."""

    visit: Visit

    def ask(self, name: str, kind: str) -> tuple[Value, ...]:
        """Values of that type at `name` or where its aliases lead."""
        return self.visit.dns.published(name, kind).values

    def text(self, name: str, start: str) -> tuple[str, ...]:
        """TXT records at `name` that begin with `start`."""
        return self.visit.dns.text(name, start)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Addresses of `name`."""
        return self.visit.dns.addresses(name)


@dataclass(frozen=True)
class Sender:
    """A name in MAIL FROM or EHLO, and an address that sends."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} from {self.address}"


def _spf_names(visit: Visit) -> Iterator[str]:
    """Names that our mail is sent as and that have a planned SPF record."""
    for name in dict.fromkeys((*visit.settings.domains, visit.names.helo)):
        if any(getattr(v, "text", "").startswith("v=spf1") for v in visit.values(name, "TXT")):
            yield name


def _record(visit: Visit, name: str) -> str:
    found = of_spf(visit.dns.text(name, ""))
    if len(found) != 1:
        raise Unseen(f"{name} has {len(found)} SPF records")
    return found[0]


def _spf_single(visit: Visit, name: str) -> Iterator[str]:
    found = of_spf(visit.dns.text(name, ""))
    if len(found) > 1:
        yield f"{name} has {len(found)} SPF records, and receivers call that a permanent error"


def _spf_lookups(visit: Visit, name: str) -> Iterator[str]:
    _record(visit, name)
    try:
        number = count(name, lambda asked: visit.dns.text(asked, ""))
    except Uncountable as problem:
        yield str(problem)
        return
    if number > MAX_LOOKUPS:
        yield f"{name} costs {number} lookups, {MAX_LOOKUPS} are allowed"


def _spf_voids(visit: Visit, name: str) -> Iterator[str]:
    _record(visit, name)
    found = evaluate(Live(visit), _STRANGER[4], name, helo=visit.names.helo, whole=True)
    if found.voids > MAX_VOIDS:
        yield f"{name} asks {found.voids} questions without an answer, {MAX_VOIDS} are allowed"


def _spf_size(visit: Visit, name: str) -> Iterator[str]:
    size = len(_record(visit, name).encode())
    if size > MAX_BYTES:
        yield f"the SPF record of {name} has {size} bytes, {MAX_BYTES} fit into an answer"


def _spf_terms(visit: Visit, name: str) -> Iterator[str]:
    for term in _record(visit, name).split()[1:]:
        plain = term.lower().lstrip("+-~?")
        if plain == "ptr" or plain.startswith("ptr:"):
            yield f"{name} has {term}, which many receivers do not follow (RFC 7208 section 5.5)"
        if plain == "all" and term[0] not in "-~?":
            yield f"{name} ends with {term}: the whole world may write in its name"


def _evaluated(visit: Visit, sender: Sender) -> Evaluation:
    return evaluate(Live(visit), sender.address, sender.name, helo=visit.names.helo, whole=True)


def _senders(visit: Visit) -> Iterator[Sender]:
    yield from (Sender(name, address) for name in _spf_names(visit) for address in visit.egress)


def _spf_passes(visit: Visit, sender: Sender) -> Iterator[str]:
    _record(visit, sender.name)
    found = _evaluated(visit, sender)
    if found.result != "pass":
        yield f"SPF of {sender.name} says {found.result} to our own address {sender.address}"


def _strangers(visit: Visit) -> Iterator[Sender]:
    """For names that are ours alone: before that, our record says nothing about who else sends."""
    judged = [n for n in _spf_names(visit) if n == visit.names.helo or ending(visit.settings, n) != "?all"]
    yield from (Sender(name, address) for name in judged for address in _STRANGER.values())


def _spf_refuses(visit: Visit, sender: Sender) -> Iterator[str]:
    _record(visit, sender.name)
    found = _evaluated(visit, sender).result
    if found in ("pass", "neutral"):
        yield f"SPF of {sender.name} says {found} to {sender.address}, which is nobody's"


CHECKS = (
    Check(
        id="spf-single",
        concern="spf",
        promise="A name has one SPF record.",
        reason=REFUSED,
        fix="remove the other record of {subject}; ./kolab dns compare --stack {stack}",
        subjects=_spf_names,
        look=_spf_single,
    ),
    Check(
        id="spf-lookups",
        concern="spf",
        promise="An SPF record costs ten lookups at most.",
        reason=REFUSED,
        fix="./kolab dns count --stack {stack}, and drop an include",
        subjects=_spf_names,
        look=_spf_lookups,
    ),
    Check(
        id="spf-voids",
        concern="spf",
        promise="An SPF record asks for names that exist.",
        reason=REFUSED,
        fix="drop the mechanism whose name is gone: " + SHOW_AND_PUSH,
        subjects=_spf_names,
        look=_spf_voids,
    ),
    Check(
        id="spf-size",
        concern="spf",
        promise="An SPF record fits into a DNS answer.",
        reason=REFUSED,
        fix="join networks or move some into an include",
        subjects=_spf_names,
        look=_spf_size,
        severity="warning",
    ),
    Check(
        id="spf-terms",
        concern="spf",
        promise="An SPF record ends with -all or ~all and has no ptr.",
        reason="Anybody may send in our name, or receivers stop reading.",
        fix=SHOW_AND_PUSH,
        subjects=_spf_names,
        look=_spf_terms,
    ),
    Check(
        id="spf-passes",
        concern="spf",
        promise="SPF passes for every egress address.",
        reason=REFUSED,
        fix=SHOW_AND_PUSH,
        subjects=_senders,
        look=_spf_passes,
    ),
    Check(
        id="spf-refuses",
        concern="spf",
        promise="SPF refuses an address that is nobody's.",
        reason="Anybody may send in our name.",
        fix=SHOW_AND_PUSH,
        subjects=_strangers,
        look=_spf_refuses,
    ),
)
