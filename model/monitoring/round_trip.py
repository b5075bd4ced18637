"""The message that comes back: how the daemon that sends it is told, and from when on it is late or slow."""

from __future__ import annotations

from model.monitoring.mail_client import account
from model.names import Names
from model.settings import RoundTrip, Settings
from model.topology import ROUND_TRIP

SLOW = 60
"""Seconds within which a message of ours is back; a person who waits for one begins to ask after that."""


def late(trip: RoundTrip) -> int:
    """Seconds without a message that came back from which on mail is taken to stand still: two may be lost to a restart."""
    return 60 * (2 * trip.every + 5)


def arguments(settings: Settings, trip: RoundTrip) -> tuple[str, ...]:
    """The command line of probe.py."""
    domain = trip.mailbox.rpartition("@")[2]
    return (
        *account(settings, ROUND_TRIP, trip),
        f"--helo={ROUND_TRIP.name}.{domain}",
        f"--smtp={Names.of(settings).smtp}:465",
    )
