"""What the world reports about our mail: how the daemon that reads it is told."""

from __future__ import annotations

from model import topology
from model.monitoring.mail_client import account
from model.settings import ReportReader, Settings


def late(reader: ReportReader) -> int:
    """Seconds without a look into the mailbox from which on it counts as unread: one look may be lost to a restart."""
    return 60 * (2 * reader.every + 30)


def arguments(settings: Settings, reader: ReportReader) -> tuple[str, ...]:
    """The command line of reader.py."""
    return (
        *account(settings, topology.REPORT_READER, reader),
        *(f"--domain={domain}" for domain in settings.domains),
        *(f"--sends={address}" for address in topology.egress_addresses(settings, announced=True)),
    )
