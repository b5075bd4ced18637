"""The way of mail and web through the stack, with what changes marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    """A daemon and one that it asks."""
    changed: frozenset[str]
    """What is drawn thick: services whose address moves, and daemons that restart, come or go."""


def picture(before: Settings | None, after: Settings, changes: Sequence[Change]) -> Picture | None:
    """None where nothing in it changes, or everything does."""
    if before is None:
        return None
    drawn = whole(after)
    public = {daemon for _, daemon in drawn.public}
    behind = tuple(pair for pair in drawn.behind if pair[0] in public)
    old = public_addresses(before)
    moved = {service for service, found in drawn.addresses.items() if old.get(service) != found}
    touched = {change.daemon for change in changes if change.rolls or change.action in ("create", "delete")}
    changed = frozenset(moved | (touched & (public | {daemon for pair in behind for daemon in pair})))
    return replace(drawn, behind=behind, changed=changed) if changed else None


def whole(settings: Settings, marked: frozenset[str] = frozenset()) -> Picture:
    """All of a stack, with every daemon that asks another one; `marked` counts as changed."""
    ports: dict[tuple[str, str], set[int]] = {}
    for port in public_ports(settings):
        ports.setdefault((port.service, port.daemon.name), set()).add(port.number)
    asked = {
        (edge.client.name, edge.server.name)
        for edge in connections(settings)
        if isinstance(edge.server, Daemon)
    }
    return Picture(
        dict(sorted(public_addresses(settings).items())),
        {key: tuple(sorted(numbers)) for key, numbers in sorted(ports.items())},
        tuple(sorted(asked)),
        marked,
    )
