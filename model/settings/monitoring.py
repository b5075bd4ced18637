"""Metrics, logs, alerts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from model.settings.base import Section
from model.texts import Label, LabelKey, LabelValue, SeLinuxType, Username
from model.types import Email, Hostname, LogsRetention, MetricsRetention, Networks, PortNumber
from model.urls import PageUrl, Webhook


class AlertServer(Section):
    """Somebody else's mail server that takes alert mail, so that it needs nothing of this stack."""

    host: Hostname
    """Name of the server; its certificate has it, from an authority that the world knows."""
    port: PortNumber = 587
    """TLS begins before SMTP does on port 465, with STARTTLS on any other; nothing is sent without."""
    sender: Email
    """Address that alert mail comes from: one that this server lets its user write as."""
    username: Username | None = None
    """SASL user; its password is the flat secret key kolab:alertsServerPassword."""
    networks: Networks = ()
    """Its addresses, if it stands in a private network. Otherwise alert mail goes to servers in the world only."""


class Alerts(Section):
    """Where Alertmanager sends."""

    email: Email | None = None
    """Mailbox, better one outside of this stack."""
    server: AlertServer | None = None
    """Mail server that takes the mail to it. Left out: this stack's own Postfix, which cannot send that it is down."""
    webhook: Webhook | None = None
    """URL that takes Alertmanager's JSON; a topic of ntfy does, as https://ntfy.example.org/alerts?template=alertmanager. One that holds a token is the flat secret key kolab:alertsWebhook, and `secret` stands here; that is reached at the ports 80 and 443."""
    heartbeat: Webhook | None = None
    """URL that is called every few minutes as long as monitoring lives, of a service that calls you when it stops (Healthchecks, Uptime Kuma, Dead Man's Snitch): no alert can say that the cluster is gone. One that holds a token is the flat secret key kolab:alertsHeartbeat, and `secret` stands here; that is reached at the ports 80 and 443."""


class PrometheusOperator(Section):
    """A Prometheus of the cluster that a prometheus-operator keeps, and what it looks for."""

    namespace: Label
    """Namespace of its Prometheus, such as monitoring. Nobody but its pods there may read the numbers."""
    pods: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)] = {
        "app.kubernetes.io/name": "prometheus"
    }
    """Labels of the pods that read the numbers. The default is what the operator gives every Prometheus."""
    labels: dict[LabelKey, LabelValue] = {}
    """Labels that its scrapeConfigSelector and its ruleSelector ask for. kube-prometheus-stack: `release: <name of its Helm release>`."""


class RoundTrip(Section):
    """A message that the stack sends itself every few minutes, by the ways that people's mail programs take."""

    mailbox: Email
    """Account that writes to itself, and is for nothing else. Its password is the flat secret key kolab:roundTripPassword, and you make it once (docs/how-to/watch-the-mail.md)."""
    every: Annotated[int, Field(ge=1, le=60)] = 5
    """Minutes from one message to the next."""


class ReportReader(Section):
    """Reads the reports that receivers and senders of the world write about our mail: DMARC aggregate reports and TLS reports."""

    mailbox: Email
    """Account that reports come to, and is for nothing else: dmarc-reports@, tls-reports@ and report addresses of the stack file in a domain of this stack lead there. It is only read, nothing is ever deleted. Its password is the flat secret key kolab:reportsPassword, and you make it once (docs/how-to/read-reports.md)."""
    every: Annotated[int, Field(ge=1, le=360)] = 15
    """Minutes from one look to the next."""


class Monitoring(Section):
    """Prometheus, Alertmanager, VictoriaLogs, vector, blackbox and Postfix exporters."""

    enabled: bool = True
    """Whether any of it runs."""
    mode: Literal["own", "prometheus-operator"] = "own"
    """Who reads the numbers and tells people: a Prometheus and an Alertmanager of the stack's own, or those of the cluster, which get ScrapeConfigs and a PrometheusRule. Logs and probes are the stack's either way."""
    operator: PrometheusOperator | None = None
    """The cluster's Prometheus, with mode: prometheus-operator."""
    dashboards: bool | None = None
    """Whether there are boards for Grafana: ConfigMaps with the label grafana_dashboard, which the sidecar of kube-prometheus-stack reads. Left out: with mode prometheus-operator, since the cluster's Grafana then has the numbers; none reaches the stack's own Prometheus unless you let it."""
    retention: MetricsRetention = "15d"
    """How long metrics are kept."""
    logs_retention: LogsRetention = "7d"
    """How long logs are kept."""
    se_linux_type: SeLinuxType | None = None
    """Type of the log collector on nodes that enforce SELinux, which lets no container read the logs of others. spc_t is known everywhere and may all that files allow; a type of your own reads /var/log/pods and writes /var/lib/<namespace>-vector."""
    alerts: Alerts = Alerts()
    """Receivers of alerts."""
    round_trip: RoundTrip | None = None
    """A message that goes out by submission and comes back by IMAP, again and again: that each daemon answers does not say that mail gets through."""
    reports: ReportReader | None = None
    """Reports about our mail as numbers, alerts and `./kolab feedback`. Off by default: it needs an account of its own, whose password you give it."""
    runbook_url: PageUrl | None = None
    """Where you keep a copy of docs/reference/alerts.md for those who are woken, such as https://wiki.example.org/alerts: each alert links to its section there. Without it the link names the file in this repository."""

    @property
    def own(self) -> bool:
        """Whether Prometheus and Alertmanager are the stack's."""
        return self.enabled and self.mode == "own"

    @property
    def shown(self) -> bool:
        """Whether a Grafana is given boards."""
        return self.enabled and (not self.own if self.dashboards is None else self.dashboards)

    @property
    def trip(self) -> RoundTrip | None:
        """The message that comes back, where anybody sends it."""
        return self.round_trip if self.enabled else None

    @property
    def report_reader(self) -> ReportReader | None:
        """What reads reports, where anybody does."""
        return self.reports if self.enabled else None

    @property
    def reader(self) -> PrometheusOperator | None:
        """The cluster's Prometheus, where that reads the numbers."""
        return self.operator if self.enabled and self.mode == "prometheus-operator" else None
