"""What the world reports about our mail: how the daemon that reads it is told."""

from __future__ import annotations

from model import topology
from model.monitoring.blackbox import verified
from model.names import Names
from model.settings import ReportReader, Settings

PASSWORD_FILE = "/kolab/password/password"  # noqa: S105 (a path)


def late(reader: ReportReader) -> int:
    """Seconds without a look into the mailbox from which on it counts as unread: one look may be lost to a restart."""
    return 60 * (2 * reader.every + 30)


def arguments(settings: Settings, reader: ReportReader) -> tuple[str, ...]:
    """The command line of reader.py."""
    return (
        f"--mailbox={reader.mailbox}",
        f"--imap={Names.of(settings).imap}:993",
        f"--every={60 * reader.every}",
        f"--password-file={PASSWORD_FILE}",
        f"--metrics-port={topology.REPORT_READER.port('metrics').number}",
        *(f"--domain={domain}" for domain in settings.domains),
        *(f"--sends={address}" for address in topology.egress_addresses(settings, announced=True)),
        # As blackbox asks: our own authority is not in the image's trust store.
        *([] if verified(settings) else ["--any-certificate"]),
    )
