"""Which stack publishes which zone, when there are too many records for one."""

from __future__ import annotations

import hashlib

from model.identity.plan import plan
from model.identity.record import Record
from model.settings import Settings

MOST_HOSTED_DOMAINS = 100
"""More than this in one stack make every update slow: the engine's work grows with the square of its resources."""


def published(settings: Settings) -> dict[str, list[Record]]:
    """Zone -> records that this very stack publishes at the provider."""
    zones = {zone: list(found) for zone, found in plan(settings).zones.items()}
    if settings.scope == "cluster":
        return {}
    shard = settings.dns.shard
    if settings.scope == "all" or shard is None:
        return zones
    return {zone: found for zone, found in zones.items() if _number(zone) % shard.count == shard.index}


def _number(zone: str) -> int:
    return int.from_bytes(hashlib.sha256(zone.encode()).digest()[:8], "big")
