"""Addresses that receivers must know as ours: those that send now, and those that will."""

from __future__ import annotations

from model.settings import Settings
from model.topology import egress_addresses


def announced(settings: Settings) -> tuple[str, ...]:
    """Egress addresses and announced ones, each once. A relay's own addresses are not among them."""
    later = map(str, settings.network.announced_egress)
    return tuple(dict.fromkeys((*egress_addresses(settings), *later)))
