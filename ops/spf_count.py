"""`./kolab dns count`: looks into the SPF records that a stack includes, and writes what they cost into the stack file."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Iterator, Sequence

import dns.exception
import dns.resolver

from model.identity.spf_count import Uncountable, count
from model.settings import Senders, Settings
from ops import edits, spf_flatten
from ops.stacks import Pulumi, StackFile, StackProblem

_TIMEOUT = 10.0
"""Seconds to wait for the answer to one question."""


def run(options: argparse.Namespace) -> None:
    """Counts and stores. Raises StackProblem, before anything is stored, when a record cannot be counted."""
    if options.flatten:
        spf_flatten.show(options.flatten, _asking(options.server))
        return
    stack = StackFile.read(options.stack)
    settings, _ = stack.settings()
    changes: dict[str, str | None] = {}
    for path, senders in _sections(stack, settings):
        for name in senders.includes:
            number = _counted(name, options.server)
            if senders.counted.get(name) != number:
                changes[f'{path}.counted["{name}"]'] = str(number)
            print(f"dns count: include:{name} costs {1 + number} lookups", file=sys.stderr)
        for name in set(senders.counted) - set(senders.includes):
            changes[f'{path}.counted["{name}"]'] = None
    if not changes:
        print("dns count: the stack file says so already", file=sys.stderr)
        return
    edits.propose(stack, changes, datetime.date.today())
    edits.write(Pulumi(stack.name), changes)


def _sections(stack: StackFile, settings: Settings) -> Iterator[tuple[str, Senders]]:
    yield "mail.senders", settings.mail.senders
    for domain, own in settings.per_domain.items():
        if own.senders is not None:
            yield f"{edits.domain_path(stack, domain)}.senders", own.senders


def _counted(name: str, servers: Sequence[str]) -> int:
    ask = _asking(servers)
    try:
        return count(name, lambda asked: ask(asked, "TXT"))
    except Uncountable as problem:
        raise StackProblem(f"include:{name} would break SPF of your domains: {problem}") from None


def _asking(servers: Sequence[str]) -> spf_flatten.Ask:
    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        host, _, port = servers[0].partition(":")
        resolver.nameservers, resolver.port = [host], int(port or 53)
    resolver.lifetime = _TIMEOUT

    def ask(asked: str, kind: str) -> list[str]:
        try:
            answer = resolver.resolve(asked, kind)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise StackProblem(f"{asked} cannot be looked into: {error}") from None
        if kind != "TXT":
            return [str(rdata) for rdata in answer]
        return [b"".join(rdata.strings).decode("utf-8", "replace") for rdata in answer]

    return ask
