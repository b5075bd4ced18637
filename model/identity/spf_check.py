"""SPF as a receiver evaluates it (RFC 7208 section 4), over records instead of a resolver.

Knows what our records use and what an operator may add: all, ip4, ip6, a, mx, include, redirect. An include of
somebody else's record cannot be answered here: the result is then `unknown` unless a term before it matched.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal

from model.identity.answers import Asked
from model.identity.rdata import MX
from model.identity.spf import MAX_LOOKUPS, MAX_VOIDS

Result = Literal["pass", "fail", "softfail", "neutral", "none", "permerror", "unknown"]

_QUALIFIERS: dict[str, Result] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


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


def evaluate(answers: Asked, address: str, domain: str) -> Evaluation:
    """SPF of `domain` for mail from `address`, as check_host() of RFC 7208 section 4 would say."""
    receiver = _Receiver(answers, ipaddress.ip_address(address))
    state = receiver.state
    state.result = receiver.check(domain)
    if state.lookups > MAX_LOOKUPS or state.voids > MAX_VOIDS:
        state.result = "permerror"
    return state


class _Receiver:
    """One check_host() under way."""

    def __init__(self, answers: Asked, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        self.answers, self.address = answers, address
        self.state = Evaluation()

    def check(self, domain: str) -> Result:
        found = self.answers.text(domain, "v=spf1")
        if not found:
            return "none"
        if len(found) > 1 or self.state.lookups > MAX_LOOKUPS:
            return "permerror"
        redirect = ""
        for term in found[0].split()[1:]:
            if term.startswith("redirect="):
                redirect = term.partition("=")[2]
                continue
            qualifier, mechanism = (term[0], term[1:]) if term[0] in _QUALIFIERS else ("+", term)
            hit = self.matches(mechanism, domain)
            if hit is None:
                return "unknown" if self.state.foreign else "permerror"
            if hit:
                self.state.matched = self.state.matched or term
                return _QUALIFIERS[qualifier]
        return self.redirected(redirect) if redirect else "neutral"

    def redirected(self, domain: str) -> Result:
        self.state.lookups += 1
        result = self.check(domain)
        return "permerror" if result == "none" else result

    def matches(self, mechanism: str, domain: str) -> bool | None:
        """Whether the mechanism matches; None when that cannot be told or the term is wrong."""
        name, _, rest = mechanism.partition(":")
        match name:
            case "all":
                return True
            case "ip4" | "ip6":
                return self.inside(rest)
            case "include":
                return self.included(rest)
            case "a":
                self.state.lookups += 1
                return self.at(rest or domain)
            case "mx":
                self.state.lookups += 1
                exchanges = [v.exchange for v in self.answers.ask(rest or domain, "MX") if isinstance(v, MX)]
                self.state.voids += not exchanges
                return any(self.at(exchange) for exchange in exchanges)
        return None

    def inside(self, network: str) -> bool | None:
        try:
            return self.address in ipaddress.ip_network(network)
        except ValueError:
            return None

    def included(self, domain: str) -> bool | None:
        self.state.lookups += 1
        if not self.answers.text(domain, "v=spf1"):
            self.state.foreign.append(domain)
            return None
        result = self.check(domain)
        return None if result in ("permerror", "unknown", "none") else result == "pass"

    def at(self, name: str) -> bool:
        found = self.answers.addresses(name)
        self.state.voids += not found
        return str(self.address) in found
