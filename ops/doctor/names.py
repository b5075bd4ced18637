"""What DNS says: at the servers of a zone, and at the resolvers that everybody asks."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from model.identity.place import suffixes, zone_of
from model.identity.rdata import CNAME, Other, Value, parse_value
from ops.doctor.check import Unseen
from ops.doctor.edge import DNS_TIMEOUT, Edge
from ops.lookup import text_of
from ops.memo import Memo

Server = tuple[str, int]
_TRIES = 2
_HOPS = 8
"""Aliases that are followed."""


@dataclass(frozen=True)
class Answer:
    """What one server said to one question."""

    values: tuple[Value, ...] = ()
    ttl: int = 0
    alias: str | None = None
    """Where the name leads instead, were it an alias."""
    authoritative: bool = False
    validated: bool = False
    """Whether a resolver has checked the signatures (RFC 4035 section 3.2.3)."""
    exists: bool = True


class Forged(Unseen):
    """A resolver keeps the answer to itself, since the signatures do not hold."""


class Dns:
    """Questions and answers, each asked once."""

    def __init__(self, edge: Edge, ours: frozenset[str]) -> None:
        self._edge, self._ours, self._memo = edge, ours, Memo()

    def at(self, server: Server, name: str, kind: str) -> Answer:
        """The answer of one authoritative server; no alias is followed. Raises Unseen."""
        if not self._memo.get(("alive", server), lambda: self._alive(server)):
            raise Unseen(f"name server {server[0]} does not answer")
        return self._memo.get((server, name, kind), lambda: self._ask(server, name, kind, recursive=False))

    def servers(self, name: str) -> tuple[Server, ...]:
        """Every authoritative server of the zone that holds `name`. Raises Unseen when none can be found."""
        if self._edge.servers and zone_of(name, self._ours):
            return tuple(self._edge.servers)
        for zone in suffixes(name):
            hosts = [str(value).rstrip(".").split()[-1] for value in self.resolve(zone, "NS").values]
            if hosts:
                return self._memo.get(("servers", zone), functools.partial(self._addresses, hosts))
        raise Unseen(f"no name server of {name} can be found")

    def published(self, name: str, kind: str) -> Answer:
        """The answer of the first authoritative server that gives one; aliases are followed. Raises Unseen."""
        for _ in range(_HOPS):
            answer = self._first(name, kind)
            if answer.alias is None or answer.values:
                return answer
            name = answer.alias
        raise Unseen(f"{name} is an alias of an alias, and so on")

    def text(self, name: str, start: str) -> tuple[str, ...]:
        """Published TXT records that begin with `start`, such as v=spf1."""
        values = self.published(name, "TXT").values
        return tuple(
            text
            for text in (getattr(v, "text", "") for v in values)
            if text.lower().startswith(start.lower())
        )

    def addresses(self, name: str) -> tuple[str, ...]:
        """Published addresses of `name`."""
        return tuple(str(v) for kind in ("A", "AAAA") for v in self.published(name, kind).values)

    def resolve(self, name: str, kind: str) -> Answer:
        """The answer of the first resolver that works. Raises Unseen."""
        for server in self._edge.resolvers:
            try:
                return self.resolved_by(server, name, kind)
            except Forged:
                raise
            except Unseen:
                continue
        raise Unseen("no resolver answers")

    def resolved_by(self, server: Server, name: str, kind: str) -> Answer:
        """The answer of one resolver. Raises Unseen."""
        if not self._memo.get(("alive", server), lambda: self._alive(server)):
            raise Unseen(f"resolver {server[0]} does not answer")
        return self._memo.get(
            (server, name, kind, "r"), lambda: self._ask(server, name, kind, recursive=True)
        )

    @property
    def resolvers(self) -> tuple[Server, ...]:
        """The resolvers of this machine."""
        return tuple(self._edge.resolvers)

    def _first(self, name: str, kind: str) -> Answer:
        problem = Unseen(f"no name server of {name} can be found")
        for server in self.servers(name):
            try:
                return self.at(server, name, kind)
            except Unseen as error:
                problem = error
        raise problem

    def _addresses(self, hosts: list[str]) -> tuple[Server, ...]:
        # IPv6 only where there is nothing else: not every machine that looks has it.
        found = []
        for host in hosts:
            values = self.resolve(host, "A").values or self.resolve(host, "AAAA").values
            found += [(str(value), 53) for value in values]
        if not found:
            raise Unseen(f"the name servers {', '.join(sorted(hosts))} have no address")
        return tuple(dict.fromkeys(found))

    def _alive(self, server: Server) -> bool:
        try:
            self._exchange(server, dns.message.make_query(".", "NS"))
        except Unseen:
            return False
        return True

    def _exchange(self, server: Server, query: dns.message.Message) -> dns.message.Message:
        where, port = self._edge.place(*server)
        error: Exception = OSError("not asked")
        for _ in range(_TRIES):
            try:
                answer, _tcp = dns.query.udp_with_fallback(query, where, port=port, timeout=DNS_TIMEOUT)
            except (dns.exception.DNSException, OSError) as problem:
                error = problem
            else:
                return answer
        raise Unseen(f"{server[0]} does not answer: {error}")

    def _unchecked(self, server: Server, query: dns.message.Message) -> bool:
        """Whether the resolver has the answer for whoever checks signatures themselves (RFC 4035 section 3.2.2)."""
        query.flags |= dns.flags.CD
        return self._exchange(server, query).rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)

    def _ask(self, server: Server, name: str, kind: str, *, recursive: bool) -> Answer:
        query = dns.message.make_query(name, kind, use_edns=0, payload=1232, want_dnssec=recursive)
        if recursive:
            query.flags |= dns.flags.AD
        else:
            query.flags &= ~dns.flags.RD
        answer = self._exchange(server, query)
        if recursive and answer.rcode() == dns.rcode.SERVFAIL and self._unchecked(server, query):
            raise Forged(f"{server[0]} does not believe the signatures of {name}")
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise Unseen(f"{server[0]} answers {dns.rcode.to_text(answer.rcode())} for {name}")
        wanted, owner = dns.rdatatype.from_text(kind), dns.name.from_text(name)
        aliases = [r for r in answer.answer if r.rdtype == dns.rdatatype.CNAME and r.name == owner]
        # A resolver gives what stands at the end of the aliases as well.
        sets = [r for r in answer.answer if r.rdtype == wanted and (recursive or r.name == owner)]
        return Answer(
            tuple(_value(kind, text_of(rdata)) for found in sets for rdata in found),
            sets[0].ttl if sets else 0,
            _plain(aliases[0]) if aliases and kind != "CNAME" else None,
            bool(answer.flags & dns.flags.AA),
            bool(answer.flags & dns.flags.AD),
            answer.rcode() == dns.rcode.NOERROR,
        )


def _plain(rrset: dns.rrset.RRset) -> str:
    return str(CNAME(str(rrset[0].target).lower().rstrip("."))).rstrip(".")


def _value(kind: str, text: str) -> Value:
    try:
        return parse_value(kind, text)
    except ValueError:
        return Other(kind, text)
