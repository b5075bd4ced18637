"""rules.yml, and all alerts for the runbook that its links lead to (ops/reference/alerts.py): one list."""

from __future__ import annotations

from typing import Any

from model.monitoring.alert import RUNBOOK, Alert
from model.monitoring.alerts_mail import mail
from model.monitoring.alerts_reports import reports
from model.monitoring.alerts_round_trip import round_trip
from model.monitoring.alerts_stack import stack
from model.monitoring.alerts_use import use
from model.monitoring.alerts_webapp import webapp
from model.monitoring.alerts_world import world
from model.monitoring.document import to_yaml
from model.settings import Alerts, Backup, Mail, Monitoring, MtaSts, Mx, ReportReader, RoundTrip, Settings

_EVERYTHING = Settings(
    mode="cluster",
    domain="example.org",
    hosted_domains=("example.net",),
    mail=Mail(mx=Mx(stage="live"), mta_sts=MtaSts(stage="enforce")),
    monitoring=Monitoring(
        alerts=Alerts(heartbeat="https://alive.example.com/kolab"),
        round_trip=RoundTrip(mailbox="round-trip@example.org"),
        reports=ReportReader(mailbox="reports@example.org"),
    ),
    backup=Backup.model_validate(
        {
            "repository": {
                "kind": "s3",
                "endpoint": "https://s3.example.net",
                "bucket": "backups",
                "networks": "198.51.100.35/32",
            }
        }
    ),
)
"""A stack that leaves nothing out."""


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Every alert of this stack."""
    return (*_mail(settings), *use(settings), *webapp(), *stack(settings), *world(settings))


def config(settings: Settings) -> str:
    """rules.yml."""
    return to_yaml({"groups": groups(settings)})


def groups(settings: Settings) -> list[dict[str, Any]]:
    """All alerts as groups of rules."""
    found = {
        "mail": _mail(settings),
        "use": tuple(use(settings)),
        "webapp": tuple(webapp()),
        "stack": tuple(stack(settings)),
        "world": tuple(world(settings)),
    }
    link = settings.monitoring.runbook_url or RUNBOOK
    return [{"name": name, "rules": [a.rule(link) for a in these]} for name, these in found.items() if these]


def _mail(settings: Settings) -> tuple[Alert, ...]:
    return (*mail(settings), *round_trip(settings), *reports(settings))


def every() -> tuple[Alert, ...]:
    """Every alert that any stack may have, by name."""
    return tuple(sorted(alerts(_EVERYTHING), key=lambda alert: alert.name))
