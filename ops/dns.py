"""`ops dns`: the records of a stack for people and servers outside of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model import identity
from model.findings import Finding, report
from model.identity.existing import below, conflicts, questions
from model.identity.governed import USUAL, beside, governed
from model.identity.place import suffixes
from model.identity.rdata import NS, Other, Value, parse_value
from model.identity.rdata import ROOT as NOWHERE
from model.identity.record import Record
from model.identity.wildcards import vanishing
from model.settings import Settings
from ops import adopt, lookup, moving, push, render, serials, spf_count
from ops.frame import add_actions, add_json
from ops.stacks import ROOT, StackFile, StackProblem
from ops.tables import narrow, table


def add_command(commands: Any) -> None:
    """Registers the command."""
    for name, sub in add_actions(
        commands, "dns", "show, export, compare and push the records of a stack", _ACTIONS
    ):
        if name == "show":
            sub.add_argument(
                "--wide", action="store_true", help="whole values, TTL, and why each record exists"
            )
        if name in ("show", "plan"):
            add_json(sub)
        if name == "move":
            sub.add_argument("domains", nargs="+", metavar="DOMAIN", help="mail domain of the stack")
            sub.add_argument("--to", choices=moving.STAGES, required=True, help="its next stage")
        if name == "export":
            sub.add_argument("--to", type=Path, help="folder; default rendered/<stack>/zones")
            sub.add_argument(
                "--served",
                action="append",
                default=[],
                metavar="[ZONE=]SERIAL",
                help="serial that the secondaries of a zone, or of all, have now: the new one comes after it",
            )
        if name == "adopt":
            sub.add_argument(
                "--to", type=Path, metavar="FILE", help="import file; default rendered/<stack>/adopt.json"
            )
        if name in ("adopt", "compare", "count", "export", "push"):
            sub.add_argument(
                "--server",
                action="append",
                default=[],
                metavar="ADDRESS[:PORT]",
                help="name server; default for adopt and compare: those of the zone, for count: this machine's resolver; export asks it for serials",
            )
        if name == "count":
            sub.add_argument(
                "--flatten",
                metavar="NAME",
                help="print the networks that an include stands for today instead",
            )
        if name == "push":
            push.add_arguments(sub)


def _settings(options: argparse.Namespace) -> Settings:
    settings, warnings = StackFile.read(options.stack).settings()
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return settings


def show(options: argparse.Namespace) -> None:
    """Prints every record with its reason."""
    records = identity.records(_settings(options))
    if options.json:
        shown = [
            {"name": r.name, "ttl": r.ttl, "type": r.type, "value": r.content, "why": r.why} for r in records
        ]
        print(json.dumps(shown, indent=2))
        return
    rows = [(r.name, str(r.ttl), r.type, r.content, r.why) for r in records]
    head = ("NAME", "TTL", "TYPE", "VALUE", "WHY")
    print(
        table(head, rows)
        if options.wide
        else narrow(("NAME", "TYPE", "VALUE"), [(n, t, v) for n, _, t, v, _ in rows])
    )


def export(options: argparse.Namespace) -> None:
    """Writes the zone files."""
    target = options.to or ROOT / "rendered" / options.stack / "zones"
    settings = _settings(options)
    served = serials.served(identity.zones(settings), options.served, options.server)
    count = render.write_zones(settings, target, served)
    print(f"dns export: {count} zones in {target}", file=sys.stderr)


def tickets(options: argparse.Namespace) -> None:
    """Prints what humans have to do, as Markdown."""
    print(identity.markdown(identity.tickets(_settings(options))))


def compare(options: argparse.Namespace) -> None:
    """Reads what the zones hold now. Raises StackProblem when something would be duplicated or shadowed."""
    found = existing_conflicts(_settings(options), options.server)
    print(report(found) if found else "dns compare: nothing in the way", file=sys.stderr)
    if any(finding.severity == "error" for finding in found):
        raise StackProblem("the zones hold records that contradict this stack; see above")


def existing_conflicts(settings: Settings, servers: Sequence[str]) -> list[Finding]:
    """Findings about what the zones hold at the names that this stack would publish, asked at the first server of each."""
    found: list[Finding] = []
    for zone, planned in identity.zones(settings).items():
        server = lookup.servers_of(zone, servers)[0]
        found += zone_conflicts(zone, planned, server, domains=settings.domains)
    return found


def zone_conflicts(
    zone: str,
    planned: Sequence[Record],
    server: tuple[str, int],
    *,
    domains: Collection[str],
    ours: Callable[[Record], bool] = lambda _: False,
) -> list[Finding]:
    """Findings about what one zone holds at one server, but for what is known to be `ours`. `domains` are all of mail.

    Raises StackProblem when the server does not hold the zone.
    """
    names = {record.name for record in planned}
    cuts = _cuts(server, names, zone)
    types = {record.type for record in planned} | {"A", "AAAA", "CNAME", "MX"}
    parents = {above for name in names if name != zone for above in _above(name, zone)}
    wildcards = {(f"*.{parent}", rtype) for parent in {zone, *parents} for rtype in types}
    # Below a cut somebody else answers, and this server is no authority.
    asked, starred = (
        {q for q in each if not any(below(q[0], cut) for cut in cuts)}
        for each in (questions(planned), wildcards)
    )
    stars = _ask(server, starred)
    existing = (*_ask(server, asked), *stars)
    mail = {r.name for r in planned if r.type == "MX" and r.target != NOWHERE}
    apexes = {r.name for r in planned if r.type == "CAA"} & mail
    apexes |= {zone} & {r.name for r in planned if r.type == "CAA"}
    usual = {
        (f"{label}.{apex}", rtype)
        for apex in apexes
        for label in USUAL
        for rtype in ("A", "AAAA", "CNAME", "CAA")
        if f"{label}.{apex}" not in names
    }
    # What is handed to somebody else is governed as well, while its zone has no CAA.
    given = _delegations(server, {name for name, _ in usual}, zone)
    held = {q for q in usual if not any(below(q[0], cut) for cut in (*cuts, *given))}
    neighbours = [*given, *_ask(server, held)]
    entered = [each for each in existing if not (_made_up(each, stars) or ours(each))]
    hosts = [each for each in (*entered, *neighbours) if each not in stars and not _made_up(each, stars)]
    answered = {n for n in names & {*domains} - {zone} if not any(below(n, cut) for cut in cuts)}
    return [
        *conflicts(planned, cuts, zone),
        *conflicts(planned, entered, zone),
        *beside(planned, existing, zone),
        *governed(planned, hosts, zone, sorted(apexes)),
        *vanishing(planned, _made_up_at(server, answered, stars), zone),
    ]


def _above(name: str, zone: str) -> list[str]:
    """The names between `name` and its zone, the zone included."""
    return [above for above in suffixes(name) if above != name and f".{above}".endswith(f".{zone}")]


def _ask(server: tuple[str, int], questions: Iterable[tuple[str, str]]) -> list[Record]:
    return [
        Record(name, _value(rtype, text), 0)
        for name, rtype in sorted(questions)
        for text in lookup.rdata_at(server, name, rtype)
    ]


def _value(rtype: str, text: str) -> Value:
    return Other(rtype, text) if rtype in ("DNAME", "HTTPS", "SVCB") else parse_value(rtype, text)


def _cuts(server: tuple[str, int], names: Iterable[str], zone: str) -> list[Record]:
    """What hands names at or below it to somebody else, inside of the zone: delegations (NS) and whole trees (DNAME)."""
    inside = {each for name in names if name != zone for each in (name, *_above(name, zone)) if each != zone}
    delegations = _delegations(server, inside, zone)
    held = {name for name in {zone, *inside} if not any(below(name, cut) for cut in delegations)}
    return [*delegations, *_ask(server, {(name, "DNAME") for name in held})]


def _delegations(server: tuple[str, int], names: Iterable[str], zone: str) -> list[Record]:
    found = {cut for name in sorted(names) if (cut := lookup.delegation_at(server, name, zone))}
    return [Record(owner, NS(target), 0) for owner, target in sorted(found)]


def _made_up_at(server: tuple[str, int], names: Collection[str], stars: Iterable[Record]) -> list[Record]:
    """What wildcards answer for those of the names that have no records: for any name below them then, too."""
    asked = {
        (f"{_NOBODY}.{name}", star.type) for name in names for star in stars if name.endswith(star.name[1:])
    }
    return [replace(each, name=each.name.removeprefix(f"{_NOBODY}.")) for each in _ask(server, asked)]


_NOBODY = "kolab-looks"
"""Label that nobody has."""


def _made_up(record: Record, stars: Iterable[Record]) -> bool:
    """Whether a server may have made this answer from a wildcard above: nobody has entered it there."""
    return any(
        star.value == record.value and star.name != record.name and record.name.endswith(star.name[1:])
        for star in stars
    )


def push_zones(options: argparse.Namespace) -> None:
    """Sends the records to an authoritative server by dynamic update (RFC 2136)."""
    push.run(_settings(options), options)


_ACTIONS = {
    "show": (show, "every record and why it exists"),
    "export": (export, "zone files, for servers and providers that take them"),
    "tickets": (tickets, "what only humans can do: PTR, registrar, customers' CNAMEs"),
    "compare": (compare, "what the zones hold already that would be duplicated or shadowed"),
    "plan": (moving.plan, "where each domain stands, what to do today, what to wait for, what is next"),
    "move": (moving.move, "write the stage of domains into the stack file"),
    "adopt": (adopt.run, "bring what the zones hold already under the stack, changing nothing"),
    "count": (spf_count.run, "look into the SPF records that you include, and write down what they cost"),
    "push": (push_zones, "update your own name servers (RFC 2136)"),
}
