"""Dynamic updates (RFC 2136) of the zones of a stack, safe against edits that happen at the same time."""

from __future__ import annotations

import argparse
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.exception
import dns.query
import dns.rcode
import dns.rdataset
import dns.tsigkeyring
import dns.update
import dns.zone

from model import identity
from model.identity import mta_sts
from model.identity.existing import kind
from model.identity.rdata import CAA, TXT, parse_value
from model.identity.record import Record, parse
from model.settings import Settings
from ops import lookup
from ops.lookup import Found
from ops.stacks import StackProblem

RRset = tuple[str, str]
"""Owner name and type."""


@dataclass(frozen=True)
class Change:
    """One record set: what the server has, and what it shall have."""

    before: Found
    after: Found

    def lines(self, key: RRset) -> Iterator[str]:
        """The change as people read it."""
        name, rtype = key
        old, new = (
            {_canonical(key, value): value for value in each.values} for each in (self.before, self.after)
        )
        yield from (f"- {name}. {rtype} {old[value]}" for value in sorted(old.keys() - new.keys()))
        yield from (f"+ {name}. {rtype} {new[value]}" for value in sorted(new.keys() - old.keys()))
        if self.before.values and self.after.values and self.before.ttl != self.after.ttl:
            yield f"~ {name}. {rtype} ttl {self.before.ttl} -> {self.after.ttl}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Registers what push needs beyond the stack and its server."""
    parser.add_argument("--dry-run", action="store_true", help="print the changes and send nothing")
    parser.add_argument("--key", type=Path, metavar="FILE", help="TSIG key: one line `name:algorithm:base64`")
    parser.add_argument(
        "--previous",
        type=Path,
        metavar="FOLDER",
        help="zone files of the last push: names that are gone since then are deleted, no others ever",
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
    plans = {}
    for zone, records in identity.zones(settings).items():
        previous = _previous(options.previous, zone)
        plans[zone] = changes(records, _present(server, (*records, *previous)), previous)
    for plan in plans.values():
        for key, change in sorted(plan.items()):
            for line in change.lines(key):
                print(line)
    if not options.policy_is_served:
        _require_policy(settings, plans.values())
    if not options.dry_run:
        for zone, plan in plans.items():
            if plan:
                _send(server, zone, plan, keyring)
    count = sum(map(len, plans.values()))
    print(
        f"dns push: {count} record set(s) {'would change' if options.dry_run else 'changed'}", file=sys.stderr
    )


def changes(
    planned: Iterable[Record], present: Mapping[RRset, Found], previous: Iterable[Record]
) -> dict[RRset, Change]:
    """The record sets that differ from the plan, and those of `previous` that it has no more.

    A name and type of ours is ours as a whole, but for TXT and CAA: values of other kinds, and of other authorities, at
    the same name are somebody else's and stay. How a server cuts a long text, and how it writes names, is no difference.
    """
    ours: dict[RRset, list[Record]] = defaultdict(list)
    kinds: dict[RRset, set[str]] = defaultdict(set)
    for record in planned:
        ours[record.name, record.type].append(record)
        kinds[record.name, record.type].add(_whose(record))
    for record in previous:
        kinds[record.name, record.type].add(_whose(record))
        ours.setdefault((record.name, record.type), [])
    found = {}
    for key, records in ours.items():
        before = present.get(key, Found())
        shared = key[1] in ("TXT", "CAA")
        kept = tuple(v for v in before.values if shared and _kind(key, v) not in kinds[key])
        ttl = min((record.ttl for record in records), default=before.ttl)
        after = Found(ttl, (*kept, *(record.content for record in records)))
        same = {_canonical(key, v) for v in before.values} == {_canonical(key, v) for v in after.values}
        if not same or (after.values and before.ttl != ttl):
            found[key] = Change(before, after)
    return found


def _canonical(key: RRset, value: str) -> str:
    return str(parse_value(key[1], value))


def _kind(key: RRset, value: str) -> str:
    return _whose(Record(key[0], parse_value(key[1], value), 0))


def _whose(record: Record) -> str:
    """What tells our value from those of others in one record set: the kind of text, the authority of a CAA."""
    if not isinstance(record.value, CAA):
        return kind(record)
    tag, value = record.value.tag.lower(), record.value.value
    return f"{tag} {value.partition(';')[0].strip().lower()}"


def _present(server: tuple[str, int], records: Iterable[Record]) -> dict[RRset, Found]:
    keys = dict.fromkeys((record.name, record.type) for record in records)
    return {key: lookup.rrset_at(server, *key) for key in keys}


def _previous(folder: Path | None, zone: str) -> list[Record]:
    if folder is None:
        return []
    if not any(folder.glob("*.zone")):
        raise StackProblem(f"{folder} holds no zone files: --previous wants those of the last push")
    path = folder / identity.file_name(zone)
    if not path.exists():
        # The zone is new.
        return []
    lines = [line for line in path.read_text().splitlines() if " IN " in line and not line.startswith(";")]
    records = [parse(line) for line in lines if line.split()[3] != "SOA"]
    # The zone's own servers and their addresses belong to whoever runs them.
    servers = {record.target for record in records if record.type == "NS"}
    return [r for r in records if r.type != "NS" and not (r.name in servers and r.type in ("A", "AAAA"))]


def _require_policy(settings: Settings, plans: Iterable[Mapping[RRset, Change]]) -> None:
    """The policy must be served before its TXT record appears or changes (RFC 8461 section 5.1)."""
    policies = mta_sts.policies(settings)
    named = {}
    for name, values in _texts_after(plans):
        domain = name.removeprefix("_mta-sts.").removesuffix(f"._hosted.{settings.domain}")
        body = policies.get(domain)
        if name.startswith("_mta-sts.") and body and str(TXT(mta_sts.text(body))) in values:
            named[domain] = body
    for domain, body in sorted(named.items()):
        url = f"https://mta-sts.{domain}{mta_sts.PATH}"
        try:
            served = fetch(url)
        except OSError as error:
            raise StackProblem(
                f"nothing was changed: {url} cannot be fetched ({error}); make up first"
            ) from None
        if served != body:
            raise StackProblem(
                f"nothing was changed: {url} serves another policy than this stack file; make up first"
            )


def _texts_after(plans: Iterable[Mapping[RRset, Change]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for plan in plans:
        for (name, rtype), change in plan.items():
            if rtype == "TXT":
                yield name, change.after.values


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Senders follow none (RFC 8461 section 3.3), so one is an error."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def fetch(url: str) -> bytes:
    """What a sender gets from there. Raises OSError when it gets nothing."""
    with urllib.request.build_opener(_NoRedirect).open(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body


def _send(server: tuple[str, int], zone: str, plan: Mapping[RRset, Change], keyring: Any) -> None:
    update = dns.update.UpdateMessage(f"{zone}.", keyring=keyring)
    for (name, rtype), change in plan.items():
        # What was read must still be there: otherwise somebody else has edited it in the meantime.
        if change.before.values:
            # The TTL of a prerequisite is 0 (RFC 2136 section 2.4.2).
            update.present(f"{name}.", _rdataset(rtype, change.before, 0))
            update.delete(f"{name}.", rtype)
        else:
            update.absent(f"{name}.", rtype)
        if change.after.values:
            update.add(f"{name}.", _rdataset(rtype, change.after, change.after.ttl))
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


def _rdataset(rtype: str, found: Found, ttl: int) -> dns.rdataset.Rdataset:
    return dns.rdataset.from_text_list("IN", rtype, ttl, list(found.values))


def _keyring(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        name, algorithm, secret = path.read_text().strip().split(":", 2)
        return dns.tsigkeyring.from_text({name: (algorithm, secret)})
    except (OSError, ValueError, dns.exception.DNSException):
        raise StackProblem(f"{path} holds no TSIG key of the form name:algorithm:base64") from None
