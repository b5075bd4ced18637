"""The live zones are looked at before the first record is made in them: first, do no harm."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator

from model import identity
from model.findings import report
from model.identity.place import forward_zones, zone_of
from model.identity.record import Record
from model.settings import Settings
from ops import lookup
from ops.dns import zone_conflicts
from ops.stacks import StackProblem


def first_look(settings: Settings, deployed: Collection[str]) -> None:
    """Compares what would be published for mail domains that are not `deployed` yet with what their zones hold.

    Raises StackProblem when something is in the way. Where no DNS answers, it says so and lets the update go on.
    """
    found = []
    for zone, planned in _new(settings, deployed):
        try:
            server = lookup.servers_of(zone)[0]
        except StackProblem as error:
            _skipped(f"no zone was looked at: {error}")
            break
        try:
            found += zone_conflicts(zone, planned, server)
        except StackProblem as error:
            _skipped(f"{zone} was not looked at: {error}")
    if found:
        print(report(found), file=sys.stderr)
    if any(finding.severity == "error" for finding in found):
        raise StackProblem(
            "nothing was changed: the zones hold records that contradict this stack, see above; with --without-dns the"
            " update goes on beside them"
        )


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
