"""Dynamic updates (RFC 2136) of the zones of a stack, safe against edits that happen at the same time."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dns.exception
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import dns.zone

from model import identity
from model.identity import mta_sts
from model.identity.existing import kind
from model.identity.rdata import parse_value
from model.identity.record import Record, parse
from model.settings import Settings
from ops import lookup
from ops.stacks import StackProblem

RRset = tuple[str, str]
"""Owner name and type."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Registers what push needs beyond the stack and its server."""
    parser.add_argument("--dry-run", action="store_true", help="print the changes and send nothing")
    parser.add_argument("--key", type=Path, metavar="FILE", help="TSIG key: one line `name:algorithm:base64`")
    parser.add_argument(
        "--previous",
        type=Path,
        metavar="FOLDER",
        help="zone files of the last push: what is gone since then is deleted; nothing else ever is",
    )
    parser.add_argument(
        "--policy-is-served",
        action="store_true",
        help="do not fetch the MTA-STS policy first: you have looked yourself",
    )


def run(settings: Settings, options: argparse.Namespace) -> None:
    """Updates every zone. Raises StackProblem before the first change when something speaks against it."""
    if not options.server:
        raise StackProblem("name the primary server of the zones with --server")
    server = lookup.servers_of("", options.server)[0]
    keyring = _keyring(options.key)
    plans = {
        zone: changes(records, _present(server, zone, records), _previous(options.previous, zone))
        for zone, records in identity.zones(settings).items()
    }
    if not options.policy_is_served:
        _require_policy(settings, [name for plan in plans.values() for name, _ in plan])
    for zone, plan in plans.items():
        for (name, rtype), (before, after) in sorted(plan.items()):
            for value in sorted(before - after):
                print(f"- {name}. {rtype} {value}")
            for value in sorted(after - before):
                print(f"+ {name}. {rtype} {value}")
        if plan and not options.dry_run:
            _send(server, zone, plan, settings.dns.ttl, keyring)
    count = sum(map(len, plans.values()))
    print(
        f"dns push: {count} record set(s) {'would change' if options.dry_run else 'changed'}", file=sys.stderr
    )


def changes(
    planned: Iterable[Record], present: dict[RRset, set[str]], previous: Iterable[Record]
) -> dict[RRset, tuple[set[str], set[str]]]:
    """Record set -> (what is there, what shall be there), for those that differ.

    TXT values of other kinds than ours at the same name are somebody else's and stay.
    """
    ours: dict[RRset, set[str]] = defaultdict(set)
    kinds: dict[RRset, set[str]] = defaultdict(set)
    for record in planned:
        ours[record.name, record.type].add(record.content)
        kinds[record.name, record.type].add(kind(record))
    for record in previous:
        kinds[record.name, record.type].add(kind(record))
        ours.setdefault((record.name, record.type), set())
    found = {}
    for key, wanted in ours.items():
        before = present.get(key, set())
        kept = (
            {value for value in before if _kind(key, value) not in kinds[key]} if key[1] == "TXT" else set()
        )
        if before != wanted | kept:
            found[key] = (before, wanted | kept)
    return found


def _kind(key: RRset, value: str) -> str:
    return kind(Record(key[0], parse_value(key[1], value), 0))


def _present(server: tuple[str, int], zone: str, records: Iterable[Record]) -> dict[RRset, set[str]]:
    return {
        (record.name, record.type): set(lookup.rdata_at(server, record.name, record.type))
        for record in records
    }


def _previous(folder: Path | None, zone: str) -> list[Record]:
    if folder is None:
        return []
    path = folder / identity.file_name(zone)
    if not path.exists():
        raise StackProblem(f"{path} is missing: --previous wants the zone files of the last push")
    lines = [line for line in path.read_text().splitlines() if " IN " in line and not line.startswith(";")]
    return [parse(line) for line in lines if line.split()[3] not in ("SOA", "NS")]


def _require_policy(settings: Settings, changed: Iterable[str]) -> None:
    """The policy must be served before its TXT record changes (RFC 8461 section 5.1)."""
    body = mta_sts.policy(settings)
    for name in sorted({name for name in changed if name.startswith("_mta-sts.")}):
        url = f"https://mta-sts.{name.removeprefix('_mta-sts.')}{mta_sts.PATH}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                served = answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise StackProblem(
                f"nothing was changed: {url} cannot be fetched ({error}); pulumi up first"
            ) from None
        if served != body:
            raise StackProblem(
                f"nothing was changed: {url} serves another policy than this stack file; pulumi up first"
            )


def _send(
    server: tuple[str, int], zone: str, plan: dict[RRset, tuple[set[str], set[str]]], ttl: int, keyring: Any
) -> None:
    update = dns.update.UpdateMessage(f"{zone}.", keyring=keyring)
    for (name, rtype), (before, after) in plan.items():
        # What was read must still be there: otherwise somebody else has edited it in the meantime.
        if before:
            update.present(f"{name}.", dns.rdataset.from_text_list("IN", rtype, ttl, sorted(before)))
        else:
            update.absent(f"{name}.", rtype)
        if before:
            update.delete(f"{name}.", rtype)
        if after:
            update.add(f"{name}.", dns.rdataset.from_text_list("IN", rtype, ttl, sorted(after)))
    try:
        answer = dns.query.tcp(update, server[0], port=server[1], timeout=15)
    except (dns.exception.DNSException, OSError) as error:
        raise StackProblem(f"{zone} was not changed: {server[0]} said {error}") from None
    if answer.rcode() in (dns.rcode.NXRRSET, dns.rcode.YXRRSET):
        raise StackProblem(
            f"{zone} was not changed: its records were edited since they were read; look, and push again"
        )
    if answer.rcode() != dns.rcode.NOERROR:
        raise StackProblem(
            f"{zone} was not changed: {server[0]} answered {dns.rcode.to_text(answer.rcode())}"
        )


def _keyring(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        name, algorithm, secret = path.read_text().strip().split(":", 2)
        return dns.tsigkeyring.from_text({name: (algorithm, secret)})
    except (OSError, ValueError, dns.exception.DNSException):
        raise StackProblem(f"{path} holds no TSIG key of the form name:algorithm:base64") from None
