"""Metrics, logs, alerts."""

from __future__ import annotations

from model.settings.base import Section
from model.texts import SeLinuxType
from model.types import Email, LogsRetention, MetricsRetention
from model.urls import PageUrl, Webhook


class Alerts(Section):
    """Where Alertmanager sends."""

    email: Email | None = None
    """Mailbox, better one outside of this stack."""
    webhook: Webhook | None = None
    """URL that takes Alertmanager's JSON. One that holds a token is the flat secret key kolab:alertsWebhook, and `secret` stands here."""


class Monitoring(Section):
    """Prometheus, Alertmanager, VictoriaLogs, vector, blackbox and Postfix exporters."""

    enabled: bool = True
    """Whether any of it runs."""
    retention: MetricsRetention = "15d"
    """How long metrics are kept."""
    logs_retention: LogsRetention = "7d"
    """How long logs are kept."""
    se_linux_type: SeLinuxType | None = None
    """Type of the log collector on nodes that enforce SELinux, which lets no container read the logs of others. spc_t is known everywhere and may all that files allow; a type of your own reads /var/log/pods and writes /var/lib/<namespace>-vector."""
    alerts: Alerts = Alerts()
    """Receivers of alerts."""
    runbook_url: PageUrl | None = None
    """Where you keep a copy of docs/reference/alerts.md for those who are woken, such as https://wiki.example.org/alerts: each alert links to its section there. Without it the link names the file in this repository."""
