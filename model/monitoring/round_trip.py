"""The message that comes back: how the daemon that sends it is told, and from when on it is late or slow."""

from __future__ import annotations

from model.monitoring.blackbox import verified
from model.names import Names
from model.settings import RoundTrip, Settings
from model.topology import ROUND_TRIP

PASSWORD_FILE = "/kolab/password/password"  # noqa: S105 (a path)
SLOW = 60
"""Seconds within which a message of ours is back; a person who waits for one begins to ask after that."""


def late(trip: RoundTrip) -> int:
    """Seconds without a message that came back from which on mail is taken to stand still: two may be lost to a restart."""
    return 60 * (2 * trip.every + 5)


def arguments(settings: Settings, trip: RoundTrip) -> tuple[str, ...]:
    """The command line of probe.py."""
    names, domain = Names.of(settings), trip.mailbox.rpartition("@")[2]
    return (
        f"--mailbox={trip.mailbox}",
        f"--helo={ROUND_TRIP.name}.{domain}",
        f"--smtp={names.smtp}:465",
        f"--imap={names.imap}:993",
        f"--every={60 * trip.every}",
        f"--password-file={PASSWORD_FILE}",
        f"--metrics-port={ROUND_TRIP.port('metrics').number}",
        # As blackbox asks: our own authority is not in the image's trust store.
        *([] if verified(settings) else ["--any-certificate"]),
    )
