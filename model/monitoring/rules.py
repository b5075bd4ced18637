"""rules.yml, and all alerts for the runbook that its links lead to (ops/reference/alerts.py): one list."""

from __future__ import annotations

from model.monitoring.alert import RUNBOOK, Alert
from model.monitoring.alerts_mail import mail
from model.monitoring.alerts_stack import stack
from model.monitoring.alerts_webapp import webapp
from model.monitoring.document import to_yaml
from model.settings import Backup, Mail, MtaSts, Mx, Settings

_EVERYTHING = Settings(
    mode="cluster",
    domain="example.org",
    mail=Mail(mx=Mx(stage="live"), mta_sts=MtaSts(stage="enforce")),
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
    return (*mail(settings), *webapp(), *stack(settings))


def config(settings: Settings) -> str:
    """rules.yml."""
    groups = {"mail": mail(settings), "webapp": webapp(), "stack": stack(settings)}
    link = settings.monitoring.runbook_url or RUNBOOK
    rows = [{"name": name, "rules": [a.rule(link) for a in found]} for name, found in groups.items()]
    return to_yaml({"groups": rows})


def every() -> tuple[Alert, ...]:
    """Every alert that any stack may have, by name."""
    return tuple(sorted(alerts(_EVERYTHING), key=lambda alert: alert.name))
