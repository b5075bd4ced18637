"""rules.yml, and the runbook that its links lead to: both from one list of alerts."""

from __future__ import annotations

from model.monitoring.alert import Alert
from model.monitoring.alerts_mail import mail
from model.monitoring.alerts_stack import stack
from model.monitoring.alerts_webapp import webapp
from model.monitoring.document import to_yaml
from model.settings import Mail, MtaSts, Settings

_EVERYTHING = Settings(mode="cluster", domain="example.org", mail=Mail(mta_sts=MtaSts(stage="enforce")))
"""A stack that leaves nothing out."""


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Every alert of this stack."""
    return (*mail(settings), *webapp(), *stack(settings))


def config(settings: Settings) -> str:
    """rules.yml."""
    groups = {"mail": mail(settings), "webapp": webapp(), "stack": stack(settings)}
    return to_yaml(
        {"groups": [{"name": name, "rules": [a.rule() for a in found]} for name, found in groups.items()]}
    )


def runbook() -> str:
    """docs/how-to/alerts.md: what each alert means and what to do first, for every alert that any stack may have."""
    head = (
        "# Alerts\n\nGenerated from model/monitoring. `page` wakes somebody: mail or logins stop, or are unsafe, now."
        " `ticket` waits for the day. Commands run in the namespace of the stack; logs are at /select/vmui/.\n"
    )
    entries = sorted(alerts(_EVERYTHING), key=lambda alert: alert.name)
    return "\n".join([head, *(alert.entry() for alert in entries)])
