"""What a step relies on is asked of the name servers before it: a record counts when the world can read it.

The state of a stack knows which records were sent to a provider, and with zone files not even that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from model import identity
from model.deployed import Deployed
from model.identity import dkim, tlsa
from model.identity.answers import Answers
from model.identity.rdata import TLSA, TXT, Value, address, parse_value
from model.identity.record import Record
from model.identity.snapshot import snapshot
from model.identity.spf_check import evaluate
from model.names import Names
from model.settings import Settings
from ops import lookup
from ops.stacks import StackProblem

_WAIT = "Fix: make up (or publish the zone), wait for the secondaries, try again"


@dataclass(frozen=True)
class Need:
    """A record that must be there."""

    name: str
    type: str
    holds: Callable[[Sequence[Value]], bool]
    """Whether these values of it are what is needed."""
    consequence: str
    """What happens otherwise."""


def ask(settings: Settings, possible: Collection[Deployed]) -> None:
    """Raises StackProblem unless every name server shows what this step relies on and the last one did not.

    Nothing is asked before the first deployment, nor where no DNS answers: then it says so.
    """
    if not possible:
        return
    for need in needs(settings, possible):
        try:
            servers = lookup.servers_of(need.name)
        except StackProblem as problem:
            print(f"dns: whether {need.name} is there was not asked: {problem}")
            return
        require(need, servers)


def needs(settings: Settings, possible: Collection[Deployed]) -> Iterator[Need]:
    """Records of ours that something new in this step is judged by."""
    now = snapshot(settings)
    signing = now.signing
    if signing and any(each.signing != signing for each in possible):
        yield from key(settings, signing)
    if now.tlsa and any(each.tlsa and each.tlsa.current != now.tlsa.current for each in possible):
        yield from pin(settings, now.tlsa.current)
    new = [a for a in now.egress.addresses if any(a not in each.egress.addresses for each in possible)]
    for source in new:
        kind = "AAAA" if ":" in source else "A"
        helo = Names.of(settings).helo
        refused = f"receivers would refuse mail from {source}"
        yield Need(helo, kind, _among(address(source)), refused)
        foreign = identity.cname_sheet(settings)
        for domain in settings.domains:
            if domain not in foreign:
                yield Need(domain, "TXT", _passing(source, domain), refused)


def key(settings: Settings, selector: str) -> Iterator[Need]:
    """A key under its selector, in every zone of ours."""
    body = dkim.text(settings.mail.dkim.selectors[selector])
    foreign = identity.cname_sheet(settings)
    for domain in settings.domains:
        if body is not None and domain not in foreign:
            at = dkim.name(selector, domain)
            failing = "receivers who ask it would fail every signature"
            yield Need(at, "TXT", _alone(TXT(body)), failing)


def pin(settings: Settings, digest: str) -> Iterator[Need]:
    """A key of port 25."""
    if settings.dns.dnssec:
        refused = "senders who ask it would refuse port 25"
        yield Need(tlsa.name(settings), "TLSA", _among(TLSA(3, 1, 1, digest)), refused)


def _among(value: Value) -> Callable[[Sequence[Value]], bool]:
    return lambda found: value in found


def _alone(value: Value) -> Callable[[Sequence[Value]], bool]:
    return lambda found: list(found) == [value]


def _passing(source: str, domain: str) -> Callable[[Sequence[Value]], bool]:
    """Whether SPF passes mail from an address before it asks anybody else."""
    return lambda found: (
        evaluate(Answers(Record(domain, value, 0) for value in found), source, domain).result == "pass"
    )


def require(need: Need, servers: Sequence[tuple[str, int]]) -> None:
    """Raises StackProblem unless every one of these servers shows the record."""
    for server in servers:
        found = [parse_value(need.type, text) for text in lookup.rdata_at(server, need.name, need.type)]
        if need.holds(found):
            continue
        seen = f"shows {len(found)} other record(s)" if found else "does not show it"
        raise StackProblem(
            f"nothing was changed: name server {server[0]} {seen} at {need.name} ({need.type}), and {need.consequence}. {_WAIT}"
        )
