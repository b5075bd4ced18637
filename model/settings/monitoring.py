"""Metrics, logs, alerts."""

from __future__ import annotations

from model.settings.base import Section
from model.types import Duration, Email, Url


class Alerts(Section):
    """Where Alertmanager sends."""

    email: Email | None = None
    """Mailbox, better one outside of this stack."""
    webhook: str | None = None
    """URL that takes Alertmanager's JSON."""


class Monitoring(Section):
    """Prometheus, Alertmanager, VictoriaLogs, vector, blackbox and Postfix exporters."""

    enabled: bool = True
    """Whether any of it runs."""
    retention: Duration = "15d"
    """How long metrics are kept."""
    logs_retention: Duration = "7d"
    """How long logs are kept."""
    alerts: Alerts = Alerts()
    """Receivers of alerts."""
    runbook_url: Url | None = None
    """Where you keep a copy of docs/reference/alerts.md for those who are woken, such as https://wiki.example.org/alerts: each alert links to its section there. Without it the link names the file in this repository."""
