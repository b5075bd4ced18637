"""The way of mail and web through the stack, with what changes marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.review.change import Change
from model.settings import Settings
from model.topology import Daemon, connections, public_addresses, public_ports


@dataclass(frozen=True)
class Picture:
    """Three columns: public addresses by service, the daemons that answer there, and the daemons behind those."""

    addresses: dict[str, tuple[str, ...]]
    public: dict[tuple[str, str], tuple[int, ...]]
    """(service, daemon) -> ports of the outside."""
    behind: tuple[tuple[str, str], ...]
    """Public daemon and the daemon that it asks."""
    changed: frozenset[str]
    """Services whose address moves, and daemons that restart, come or go."""


def picture(before: Settings | None, after: Settings, changes: Sequence[Change]) -> Picture | None:
    """None where nothing in it changes, or everything does."""
    if before is None:
        return None
    old, new = public_addresses(before), public_addresses(after)
    ports: dict[tuple[str, str], set[int]] = {}
    for port in public_ports(after):
        ports.setdefault((port.service, port.daemon.name), set()).add(port.number)
    public = {daemon for _, daemon in ports}
    behind = sorted(
        {
            (edge.client.name, edge.server.name)
            for edge in connections(after)
            if isinstance(edge.server, Daemon) and edge.client.name in public
        }
    )
    moved = {service for service in new if old.get(service) != new[service]}
    touched = {change.daemon for change in changes if change.rolls or change.action in ("create", "delete")}
    drawn = public | {daemon for pair in behind for daemon in pair}
    changed = frozenset(moved | (touched & drawn))
    if not changed:
        return None
    return Picture(
        dict(sorted(new.items())),
        {key: tuple(sorted(numbers)) for key, numbers in sorted(ports.items())},
        tuple(behind),
        changed,
    )
