"""Serials that name servers have now: those of exported zones come after them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from model.identity.zonefile import latest
from ops import lookup
from ops.stacks import StackProblem


def served(zones: Collection[str], given: Sequence[str], servers: Sequence[str]) -> dict[str, int]:
    """Zone -> serial, from `[zone=]serial` and from what the servers answer; the later where both are known.

    Raises StackProblem for what is no serial, no zone of the stack, and for a server without the zone.
    """
    found: dict[str, int] = {}
    for text in given:
        zone, equals, number = text.rpartition("=")
        zone = zone.lower().rstrip(".")
        if not (number.isascii() and number.isdigit() and int(number) < 2**32):
            raise StackProblem(f"--served {text}: a serial is a number from 0 to 4294967295")
        if equals and zone not in zones:
            raise StackProblem(f"--served {text}: {zone} is none of the zones: {', '.join(zones)}")
        for each in [zone] if equals else zones:
            _learn(found, each, int(number))
    for server in servers:
        for zone in zones:
            _learn(found, zone, lookup.serial_at(lookup.servers_of(zone, [server])[0], zone))
    return found


def _learn(found: dict[str, int], zone: str, serial: int) -> None:
    found[zone] = latest(serial, found[zone]) if zone in found else serial
