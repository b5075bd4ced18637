"""SPF as receivers evaluate it (RFC 7208), over records that we know: our own plan, or what the world published."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from model.identity import spf_macros
from model.identity.answers import Asked
from model.identity.rdata import MX, PTR, TXT
from model.identity.spf import MAX_LOOKUPS, MAX_VOIDS
from model.identity.spf_terms import ASKING, BadTerm, Result, Term, of_spf, terms

_MOST = 10
"""Exchanges of one mx, and names of one ptr (section 4.6.4)."""


@dataclass
class Evaluation:
    """How one sender fares: the result, and what it cost the receiver."""

    result: Result = "none"
    lookups: int = 0
    """Terms that asked DNS; more than 10 are a permanent error."""
    voids: int = 0
    """Questions without an answer; more than 2 are a permanent error."""
    matched: str = ""
    """The term that decided."""
    foreign: list[str] = field(default_factory=list)
    """Domains whose records we do not know."""


def evaluate(answers: Asked, address: str, domain: str, *, helo: str = "", whole: bool = False) -> Evaluation:
    """SPF of `domain` for mail from `address`, as check_host() of RFC 7208 section 4 would say.

    `whole` answers are those of the world, where an include without a record is an error; else it is unknown to us.
    """
    receiver = _Receiver(
        answers, spf_macros.Mail(ipaddress.ip_address(address), domain, helo or domain), whole
    )
    try:
        receiver.state.result = receiver.check(domain)
    except _Stop as stop:
        receiver.state.result = stop.result
    return receiver.state


class _Stop(Exception):
    """What ends the evaluation as a whole, however deep."""

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result


@dataclass
class _Receiver:
    """One check_host() under way."""

    answers: Asked
    mail: spf_macros.Mail
    whole: bool
    state: Evaluation = field(default_factory=Evaluation)

    @property
    def kind(self) -> str:
        return "A" if self.mail.address.version == 4 else "AAAA"

    def check(self, domain: str) -> Result:
        found = of_spf(v.text for v in self.answers.ask(domain, "TXT") if isinstance(v, TXT))
        if not found:
            return "none"
        if len(found) > 1:
            raise _Stop("permerror")
        try:
            written = terms(found[0])
        except BadTerm:
            raise _Stop("permerror") from None
        for term in written:
            if term.name in ASKING:
                # Whoever names all needs no redirect, which is not even counted then (section 6.1).
                if term.name == "redirect" and any(each.name == "all" for each in written):
                    break
                self.state.lookups += 1
                if self.state.lookups > MAX_LOOKUPS:
                    raise _Stop("permerror")
            if term.name == "redirect":
                return self.follow(term, domain)
            if self.matches(term, domain):
                self.state.matched = self.state.matched or term.text
                return term.result
        return "neutral"

    def follow(self, term: Term, domain: str) -> Result:
        """What the record says that an include or a redirect names."""
        target = self.target(term, domain)
        result = self.check(target)
        if result != "none":
            return result
        if not self.whole:
            self.state.foreign.append(target)
        raise _Stop("permerror" if self.whole else "unknown")

    def matches(self, term: Term, domain: str) -> bool:
        match term.name:
            case "all" | "ip4" | "ip6":
                return term.network is None or self.mail.address in term.network
            case "include":
                return self.follow(term, domain) == "pass"
        target = self.target(term, domain)
        match term.name:
            case "a":
                return self.among(self.at(target, self.kind), term)
            case "mx":
                exchanges = [value.exchange for value in self.at(target, "MX") if isinstance(value, MX)]
                if len(exchanges) > _MOST:
                    raise _Stop("permerror")
                return self.among([each for name in exchanges for each in self.at(name, self.kind)], term)
            case "ptr":
                return any(name == target or name.endswith(f".{target}") for name in self.confirmed())
        # exists: an A record whatever the family of the address is (section 5.7).
        return bool(self.at(target, "A"))

    def at(self, name: str, kind: str) -> list[object]:
        """What a name has; nothing counts as a void lookup."""
        found: list[object] = [*self.answers.ask(name, kind)]
        self.state.voids += not found
        if self.state.voids > MAX_VOIDS:
            raise _Stop("permerror")
        return found

    def among(self, found: list[object], term: Term) -> bool:
        length = term.lengths[self.mail.address.version == 6]
        networks = (ipaddress.ip_network(f"{value}/{length}", strict=False) for value in found)
        return any(self.mail.address in network for network in networks)

    def confirmed(self) -> list[str]:
        """Names of the address that lead back to it (section 5.5)."""
        values = self.at(self.mail.address.reverse_pointer, "PTR")
        names = [value.target for value in values if isinstance(value, PTR)][:_MOST]
        return [name for name in names if str(self.mail.address) in map(str, self.at(name, self.kind))]

    def target(self, term: Term, domain: str) -> str:
        if not term.domain:
            return domain

        def confirmed() -> str:
            names = self.confirmed()
            inside = [name for name in names if name == domain or name.endswith(f".{domain}")]
            return next(iter(inside or names), "unknown")

        return spf_macros.expand(term.domain, self.mail, domain, confirmed)
