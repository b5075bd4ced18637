"""The live zones are looked at before the first record is made in them: first, do no harm."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from model import identity
from model.findings import Finding, report
from model.identity.existing import conflicts
from model.identity.logical import logical_name
from model.identity.place import forward_zones, zone_of
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from ops import lookup
from ops.cloudflare import Api
from ops.dns import zone_conflicts
from ops.stacks import Pulumi, StackProblem


def first_look(settings: Settings, deployed: Collection[str], pulumi: Pulumi | None = None) -> None:
    """Compares what would be published for mail domains that are not `deployed` yet with what their zones hold, by DNS
    and through the provider's API where the stack has its token. What the stack has adopted is in nobody's way.

    Raises StackProblem when something is in the way. Where no DNS answers, it says so and lets the update go on.
    """
    found: dict[Finding, None] = {}
    unseen = False
    for zone, planned, provider in _looked_at(settings, deployed, pulumi):
        found |= dict.fromkeys(provider.conflicts(zone, planned))
        if unseen:
            continue
        try:
            server = lookup.servers_of(zone)[0]
        except StackProblem as error:
            _skipped(f"no zone was looked at: {error}")
            unseen = True
            continue
        try:
            found |= dict.fromkeys(
                zone_conflicts(zone, planned, server, domains=settings.domains, ours=provider.explains)
            )
        except StackProblem as error:
            _skipped(f"{zone} was not looked at: {error}")
    if found:
        print(report(found), file=sys.stderr)
    if any(finding.severity == "error" for finding in found):
        raise StackProblem(
            "nothing was changed: the zones hold records that contradict this stack, see above; what is yours comes under"
            " the stack with ./kolab dns adopt, and with --without-dns the update goes on beside them"
        )


@dataclass
class _Provider:
    """What the provider of the zones knows beside DNS: its own records behind names that it answers for itself."""

    own_mx: str
    owned: frozenset[str] = frozenset()
    """Logical names of records that the stack has."""
    api: Api | None = None
    zone_ids: Mapping[str, str] = field(default_factory=dict)
    _proxied: set[str] = field(default_factory=set)

    def conflicts(self, zone: str, planned: Sequence[Record]) -> list[Finding]:
        """Findings about what the API shows."""
        if self.api is None or zone not in self.zone_ids:
            return []
        try:
            there = self.api.records(zone, self.zone_ids[zone])
        except StackProblem as error:
            _skipped(str(error))
            return []
        self._proxied |= {each.record.name for each in there if each.proxied}
        # The zone's own servers are no delegation of a name of ours.
        entered = (r.record for r in there if not (r.record.name == zone and r.record.type == "NS"))
        # As DNS is asked: without the TTL, so that what both show is said once.
        existing = [replace(each, ttl=0) for each in entered if not self._has(each)]
        return [*conflicts(planned, existing, zone)]

    def explains(self, record: Record) -> bool:
        """Whether an answer of DNS is the stack's own record, or an address that the provider shows instead of one."""
        instead = record.name in self._proxied and record.type in ("A", "AAAA", "HTTPS")
        return instead or self._has(record)

    def _has(self, record: Record) -> bool:
        return logical_name(record, self.own_mx) in self.owned


def _looked_at(
    settings: Settings, deployed: Collection[str], pulumi: Pulumi | None
) -> Iterator[tuple[str, list[Record], _Provider]]:
    new = list(_new(settings, deployed))
    provider = _Provider(Names.of(settings).mx)
    if new and pulumi is not None and settings.dns.provider == "cloudflare":
        provider.owned, provider.zone_ids = pulumi.records(), settings.dns.zone_ids
        try:
            token = pulumi.plaintexts().get("cloudflareApiToken")
            provider.api = Api(token) if token else None
        except StackProblem as error:
            _skipped(f"the API of Cloudflare was not asked: {error}")
    for zone, planned in new:
        yield zone, planned, provider


def _new(settings: Settings, deployed: Collection[str]) -> Iterator[tuple[str, list[Record]]]:
    """Forward zones with the records of mail domains that are new there; all records where every domain is new."""
    known = set(settings.domains) & set(deployed)
    zones = identity.zones(settings)
    for zone in forward_zones(settings):
        planned = [
            r for r in zones[zone] if not known or zone_of(r.name, settings.domains) not in (*known, None)
        ]
        if planned:
            yield zone, planned


def _skipped(why: str) -> None:
    print(f"dns: {why}. ./kolab dns compare does it later", file=sys.stderr)
