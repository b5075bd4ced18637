"""How the programs of the monitoring that have an account here are told (components/scripts/mail-client)."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.blackbox import verified
from model.names import Names
from model.settings import ReportReader, RoundTrip, Settings
from model.topology import Daemon

PASSWORD_FILE = "/kolab/password/password"  # noqa: S105 (a path)


def account(settings: Settings, daemon: Daemon, told: RoundTrip | ReportReader) -> Iterator[str]:
    """What each of their command lines begins with."""
    yield f"--mailbox={told.mailbox}"
    yield f"--imap={Names.of(settings).imap}:993"
    yield f"--every={60 * told.every}"
    yield f"--password-file={PASSWORD_FILE}"
    yield f"--metrics-port={daemon.port('metrics').number}"
    if not verified(settings):
        # As blackbox asks: our own authority is not in the image's trust store.
        yield "--any-certificate"
