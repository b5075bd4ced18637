"""Alerts about the message that the stack sends itself (components/scripts/round-trip/probe.py)."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import Alert
from model.monitoring.round_trip import SLOW, late
from model.settings import Settings

SUCCESS = "kolab_round_trip_last_success_timestamp_seconds"
SECONDS = "kolab_round_trip_seconds"
_SOURCE = "components/scripts/round-trip/probe.py"


def round_trip(settings: Settings) -> Iterator[Alert]:
    """Alerts of a stack that sends itself mail."""
    trip = settings.monitoring.trip
    if trip is None:
        return
    yield Alert(
        name="RoundTripLate",
        severity="page",
        service="round-trip",
        # A new pod knows of no message; the numbers of the one before it still count.
        expr=f"time() - max(max_over_time({SUCCESS}[1d])) > {late(trip)}",
        wait=f"{2 * trip.every}m",
        summary=f"No message to {trip.mailbox} has come back",
        meaning="somebody who sends a message to a colleague now does not see it arrive, even where every single daemon answers",
        steps=(
            "`./kolab logs round-trip` says how far the last message came: not handed in, not found in the mailbox, or the login was refused.",
            "Login refused: the password of the account is no longer kolab:roundTripPassword, or the account is gone or suspended (docs/how-to/watch-the-mail.md).",
            "Not found: `./kolab queue list` shows whether it waits, `./kolab trace` where it went. A full queue, a filter that stands still and a full disk have alerts of their own.",
        ),
        source=f"{_SOURCE}, {SUCCESS}",
    )
    yield Alert(
        name="RoundTripSlow",
        severity="ticket",
        service="round-trip",
        expr=f"min_over_time({SECONDS}[{3 * trip.every}m]) > {SLOW}",
        wait=f"{trip.every}m",
        summary="A message within the stack takes {{ $value | humanizeDuration }}",
        meaning="mail arrives, and late: people will ask where it is, and a queue grows somewhere",
        steps=(
            "`./kolab queue list`: many messages of one sender are a list or a stolen password (BulkSender).",
            "Else the filter, the disk or the database is too slow: `./kolab status`, then CPU and log of Amavis, Cyrus and MariaDB.",
        ),
        source=f"{_SOURCE}, {SECONDS}",
    )
