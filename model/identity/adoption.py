"""Records that stand in a zone already and are the ones that this stack would make: they come under it as they are.

A record is taken where the stack knows it by the same name (model/identity/logical.py): then the next update changes
it in place, if it changes it at all. Everything else in the zone stays whose it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from model.identity.logical import logical_name
from model.identity.record import Record
from model.ledger import RECORD, RECORDS_OF

DNS = "kolab:index:Dns"
"""Type of the component that records belong to."""
PROVIDER = "pulumi:providers:cloudflare"
"""Type of the provider that they are published through."""


@dataclass(frozen=True)
class Existing:
    """A record as a zone holds it."""

    record: Record
    id: str = ""
    """What the provider knows it by."""
    proxied: bool = False
    """Whether the provider answers with addresses of its own instead."""


@dataclass(frozen=True)
class Taken:
    """A record that comes under the stack."""

    name: str
    """Its logical name."""
    existing: Existing
    planned: Record

    @property
    def changes(self) -> tuple[str, ...]:
        """What the next update changes about it."""
        was, becomes = self.existing.record, self.planned
        return tuple(
            text
            for text, differs in (
                (f"{was.content} -> {becomes.content}", was.content != becomes.content),
                (f"ttl {was.ttl} -> {becomes.ttl}", was.ttl != becomes.ttl),
                ("proxied -> not proxied", self.existing.proxied),
            )
            if differs
        )


@dataclass(frozen=True)
class Adoption:
    """What becomes of the records of one zone."""

    zone: str
    taken: tuple[Taken, ...]
    doubled: tuple[tuple[Record, ...], ...]
    """Several of which the stack has one: none is taken, since it cannot be told which."""
    foreign: tuple[Existing, ...]
    """Nobody's business of this stack."""
    missing: tuple[Record, ...]
    """Planned, and made by the next update."""


def adoption(
    zone: str, planned: Iterable[Record], existing: Iterable[Existing], own_mx: str, owned: Iterable[str] = ()
) -> Adoption:
    """Compares. `owned` are logical names that the stack has already."""
    wanted = {logical_name(record, own_mx): record for record in planned}
    have = frozenset(owned)
    there: dict[str, list[Existing]] = defaultdict(list)
    foreign = []
    for each in existing:
        name = logical_name(each.record, own_mx)
        if name in wanted:
            there[name].append(each)
        else:
            foreign.append(each)
    fitting = {name: _fitting(found, wanted[name]) for name, found in there.items() if name not in have}
    return Adoption(
        zone,
        tuple(Taken(name, found[0], wanted[name]) for name, found in fitting.items() if len(found) == 1),
        tuple(tuple(each.record for each in found) for found in fitting.values() if len(found) > 1),
        tuple(foreign),
        tuple(record for name, record in wanted.items() if name not in there and name not in have),
    )


def _fitting(found: list[Existing], planned: Record) -> list[Existing]:
    """Of several the one that is right already, where there is one."""
    return [each for each in found if each.record.content == planned.content][:1] or found


def import_file(
    stack: str,
    project: str,
    adoptions: Iterable[Adoption],
    zone_ids: Mapping[str, str],
    *,
    known: Iterable[str] = (),
    version: str = "",
) -> dict[str, Any]:
    """What `pulumi import --file` reads. `known` are the URNs in the state of the stack: what they name is referred to,
    the rest is declared, the provider without its token, which the environment gives.
    """
    urns = {
        "dns": f"urn:pulumi:{stack}::{project}::{DNS}::{RECORDS_OF}",
        "provider": f"urn:pulumi:{stack}::{project}::{PROVIDER}::{RECORDS_OF}",
    }
    there = frozenset(known)
    declared: dict[str, dict[str, Any]] = {
        "dns": {"type": DNS, "name": "dns", "component": True},
        "provider": {"type": PROVIDER, "name": "provider", "logicalName": RECORDS_OF, "inputs": {}},
    }
    if version:
        declared["provider"]["version"] = version
    records = [
        {
            "type": RECORD,
            "name": f"{RECORDS_OF}-{each.name}",
            "id": f"{zone_ids[found.zone]}/{each.existing.id}",
            "parent": "dns",
            "provider": "provider",
            **({"version": version} if version else {}),
        }
        for found in adoptions
        for each in found.taken
    ]
    return {
        "nameTable": {name: urn for name, urn in urns.items() if urn in there},
        "resources": [*(spec for name, spec in declared.items() if urns[name] not in there), *records],
    }
