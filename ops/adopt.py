"""`./kolab dns adopt`: what zones hold already comes under the program. Nothing is changed by it.

At Cloudflare a file for `./kolab pulumi import`, which books the records as they are; with zone files and RFC 2136 the
plan of what a push would do, since there the name servers are the state.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Iterable, Iterator, Sequence

import dns.exception
import dns.query
import dns.zone

from model.identity.adoption import Adoption, Existing, adoption, import_file
from model.identity.existing import questions
from model.identity.rdata import Other, parse_value
from model.identity.record import Record
from model.identity.shards import published
from model.names import Names
from model.settings import Settings
from ops import lookup
from ops.cloudflare import Api
from ops.stacks import ROOT, Pulumi, StackFile, StackProblem

_PROJECT = "kolab"
_TOKEN = "cloudflareApiToken"  # noqa: S105 (the name of the key)


def run(options: argparse.Namespace) -> None:
    """Prints the plan, and writes the file where there is something to import. Raises StackProblem."""
    settings, _ = StackFile.read(options.stack).settings()
    pulumi = Pulumi(options.stack)
    at_cloudflare = settings.dns.provider == "cloudflare"
    found = _by_api(settings, pulumi) if at_cloudflare else _by_dns(settings, options.server)
    for each in found:
        print("\n".join(lines(each)))
    if doubled := [each for each in found if each.doubled]:
        raise StackProblem(
            f"{', '.join(each.zone for each in doubled)}: of some records the stack has one and the zone several, see"
            " above. Fix: leave the right one there, and run this again"
        )
    if not any(each.taken for each in found):
        print("dns adopt: there is nothing to bring under the stack", file=sys.stderr)
    elif at_cloudflare:
        _write(settings, options, pulumi, found)
    else:
        print(
            f"dns adopt: the next step is ./kolab dns push --dry-run --stack {options.stack}", file=sys.stderr
        )


def lines(found: Adoption) -> Iterator[str]:
    """One zone, for people."""
    yield f"{found.zone}: {len(found.taken)} to adopt, {len(found.missing)} to be made, {len(found.foreign)} of others"
    for each in found.taken:
        name, kind = each.existing.record.name, each.existing.record.type
        changes = f", and the next update changes {'; '.join(each.changes)}" if each.changes else ""
        yield f"  adopt  {name} {kind} {each.existing.record.content}{changes}"
    for several in found.doubled:
        for record in several:
            yield f"  twice  {record.name} {record.type} {record.content}"
    for other in found.foreign:
        yield f"  leave  {other.record.name} {other.record.type} {other.record.content}"


def _by_api(settings: Settings, pulumi: Pulumi) -> list[Adoption]:
    token = pulumi.plaintexts().get(_TOKEN)
    if not token:
        raise StackProblem(
            f"kolab:{_TOKEN} is missing, without which the zones cannot be read. Fix: ./kolab pulumi config set --secret kolab:{_TOKEN}"
        )
    api, owned = Api(token), pulumi.records()
    return [
        adoption(
            zone,
            planned,
            api.records(zone, settings.dns.zone_ids[zone]),
            Names.of(settings).mx,
            owned,
        )
        for zone, planned in published(settings).items()
    ]


def _write(
    settings: Settings, options: argparse.Namespace, pulumi: Pulumi, found: Sequence[Adoption]
) -> None:
    path = options.to or ROOT / "rendered" / options.stack / "adopt.json"
    version = importlib.metadata.version("pulumi_cloudflare")
    content = import_file(
        options.stack, _PROJECT, found, settings.dns.zone_ids, known=pulumi.urns(), version=version
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")
    print(
        f"dns adopt: nothing was changed; {path} has what is to adopt. Next, which changes the stack's state and no record:\n"
        f"  export CLOUDFLARE_API_TOKEN=$(./kolab secrets show {_TOKEN} --stack {options.stack})\n"
        f"  ./kolab pulumi import --file {path} --protect=false --generate-code=false --stack {options.stack}\n"
        f"  ./kolab preview --stack {options.stack}",
        file=sys.stderr,
    )


def _by_dns(settings: Settings, servers: Sequence[str]) -> list[Adoption]:
    found = []
    for zone, planned in published(settings).items():
        server = lookup.servers_of(zone, servers)[0]
        existing = [Existing(record) for record in _held(server, zone, planned)]
        found.append(adoption(zone, planned, existing, Names.of(settings).mx))
    return found


def _held(server: tuple[str, int], zone: str, planned: Sequence[Record]) -> Iterable[Record]:
    """The whole zone where the server hands it over, else what stands at names of ours."""
    try:
        messages = dns.query.xfr(server[0], f"{zone}.", port=server[1], relativize=False, timeout=10)
        whole = dns.zone.from_xfr(messages, relativize=False)
    except (dns.exception.DNSException, OSError, EOFError):
        return _at_names(server, planned)
    return [
        _record(str(name), rdataset.ttl, rdataset.rdtype.name, lookup.text_of(rdata))
        for name, rdataset in whole.iterate_rdatasets()
        for rdata in rdataset
        if rdataset.rdtype.name not in _OF_THE_SERVER
    ]


def _at_names(server: tuple[str, int], planned: Sequence[Record]) -> list[Record]:
    rrsets = ((name, kind, lookup.rrset_at(server, name, kind)) for name, kind in sorted(questions(planned)))
    return [_record(name, found.ttl, kind, text) for name, kind, found in rrsets for text in found.values]


_OF_THE_SERVER = ("SOA", "NS", "DNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "CDS", "CDNSKEY")
"""What belongs to the zone itself and its signer."""


def _record(name: str, ttl: int, kind: str, text: str) -> Record:
    try:
        value = parse_value(kind, text)
    except ValueError:
        return Record(name.rstrip(".").lower(), Other(kind, text), ttl)
    return Record(name.rstrip(".").lower(), value, ttl)
