"""Alerts about what the world reports about our mail (components/scripts/report-reader)."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import Alert
from model.monitoring.reports import late
from model.settings import Settings

_SOURCE = "components/scripts/report-reader/reader.py"
_SHARE, _LEAST = 0.05, 10
"""From which part, and from which number on, failures are ours and not those of one odd receiver."""


def reports(settings: Settings) -> Iterator[Alert]:
    """Alerts of a stack that reads its reports."""
    reader = settings.monitoring.report_reader
    if reader is None:
        return
    ours = 'kolab_dmarc_messages{source="ours"%s}'
    yield Alert(
        name="OwnMailFailsDmarc",
        severity="ticket",
        service="report-reader",
        expr=_many(ours % ',verdict="failed"', ours % ""),
        wait="1h",
        summary="{{ $value | humanizePercentage }} of our mail from {{ $labels.domain }} fails DMARC where it arrives",
        meaning="receivers see neither SPF nor DKIM of the domain hold for mail that left from our own addresses: it is filed as spam, or refused once the policy says so",
        steps=(
            "`./kolab feedback` names the receivers who say so and since when. Reports are about yesterday, and anybody can send one: of a single unknown reporter believe nothing.",
            "`./kolab doctor --only spf --only dkim` compares what is published with what is planned.",
            "Where both hold, a program sends through us with a sender address of its own: `./kolab trace` of one such message shows which.",
        ),
        source=f"{_SOURCE}, kolab_dmarc_messages",
    )
    sessions = "kolab_tls_sessions{%s}"
    yield Alert(
        name="SendersCannotEncrypt",
        severity="ticket",
        service="report-reader",
        expr=_many(sessions % 'outcome="failed"', sessions % ""),
        wait="1h",
        summary="{{ $value | humanizePercentage }} of the sessions in which senders wanted to encrypt to {{ $labels.domain }} failed",
        meaning="senders who demand TLS by MTA-STS or DANE do not deliver to us: their mail waits, and goes back after days",
        steps=(
            "`./kolab feedback` names what failed: a certificate, a policy that is not reached, a key that DNS does not name.",
            "`./kolab doctor --only smtp --only mta-sts --only dane` looks at all of them now; reports are about yesterday, and anybody can send one.",
        ),
        source=f"{_SOURCE}, kolab_tls_sessions",
    )
    yield Alert(
        name="ReportsUnread",
        severity="ticket",
        service="report-reader",
        # A new pod has not looked yet; the numbers of the one before it still count.
        expr=f"time() - max(max_over_time(kolab_reports_last_look_timestamp_seconds[1d])) > {late(reader)}",
        wait=f"{reader.every}m",
        summary=f"The reports in {reader.mailbox} are not read",
        meaning="nobody hears whether the world takes our mail for forged, or cannot encrypt to us",
        steps=(
            "`./kolab logs report-reader` says why: the login was refused, or the mailbox cannot be reached.",
            "Login refused: the password of the account is no longer kolab:reportsPassword, or the account is gone or suspended (docs/how-to/read-reports.md).",
        ),
        source=f"{_SOURCE}, kolab_reports_last_look_timestamp_seconds",
    )


def _many(failed: str, all_of_them: str) -> str:
    share = f"sum by (domain) ({failed}) / sum by (domain) ({all_of_them}) > {_SHARE}"
    return f"({share}) and sum by (domain) ({failed}) >= {_LEAST}"
