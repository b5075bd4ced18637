"""Monitoring: numbers, alerts, logs, probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pulumi

from components.alertmanager import Alertmanager, AlertmanagerArgs
from components.blackbox import Blackbox, BlackboxArgs
from components.composition import Composition
from components.dashboards import Dashboards, DashboardsArgs
from components.mail_client import MailClientArgs, ReportReader, RoundTrip
from components.operator import PrometheusOperator, PrometheusOperatorArgs
from components.prometheus import Prometheus, PrometheusArgs
from components.vector import Vector, VectorArgs
from components.victorialogs import Victorialogs, VictorialogsArgs
from model.monitoring import alertmanager as alertmanager_config
from model.monitoring import blackbox as blackbox_config
from model.monitoring import dashboards, operator, reports, round_trip, rules
from model.monitoring import prometheus as prometheus_config
from model.monitoring import vector as vector_config
from model.monitoring import victorialogs as victorialogs_config
from model.urls import SECRET as WEBHOOK_IS_SECRET


def watch(stack: Composition, logs: pulumi.Output[str]) -> None:
    """All of monitoring. `logs` is the namespace of the log collector."""
    settings = stack.settings
    if settings.monitoring.reader is None:
        _engines(stack)
    else:
        handed = PrometheusOperatorArgs(
            scrape_configs=operator.scrape_configs(settings),
            rules=operator.rule(settings),
            labels=settings.monitoring.reader.labels,
        )
        PrometheusOperator("operator", stack.site, handed, stack.child())
    if settings.monitoring.shown:
        boards = DashboardsArgs(files=dashboards.files(settings))
        Dashboards("dashboards", stack.site, boards, stack.child())
    victorialogs = VictorialogsArgs(
        build=stack.build("victorialogs"),
        volume=settings.storage.logs,
        flags=victorialogs_config.flags(settings),
    )
    Victorialogs("victorialogs", stack.site, victorialogs, stack.child())
    blackbox = BlackboxArgs(
        build=stack.build("blackbox"),
        configuration=blackbox_config.config(settings),
        flags=blackbox_config.FLAGS,
    )
    Blackbox("blackbox", stack.site, blackbox, stack.child())
    _mail_clients(stack)
    vector = VectorArgs(
        build=stack.build("vector"),
        cluster_name=f"{settings.kubernetes.namespace}-vector",
        configuration=vector_config.config(settings),
        flags=vector_config.FLAGS,
        se_linux_type=settings.monitoring.se_linux_type,
    )
    Vector("vector", replace(stack.site, namespace=logs), vector, stack.child())


def _engines(stack: Composition) -> None:
    """What reads the numbers and tells people."""
    settings = stack.settings
    password = alertmanager_config.password(settings)
    prometheus = PrometheusArgs(
        build=stack.build("prometheus"),
        volume=settings.storage.metrics,
        configuration=prometheus_config.config(settings),
        rules=rules.config(settings),
        flags=prometheus_config.flags(settings),
    )
    Prometheus("prometheus", stack.site, prometheus, stack.child())
    alertmanager = AlertmanagerArgs(
        build=stack.build("alertmanager"),
        configuration=alertmanager_config.config(settings),
        flags=alertmanager_config.flags(settings),
        password=stack.secret(password) if password else None,
        webhook=_hidden(stack, settings.monitoring.alerts.webhook, "alertsWebhook"),
        heartbeat=_hidden(stack, settings.monitoring.alerts.heartbeat, "alertsHeartbeat"),
    )
    Alertmanager("alertmanager", stack.site, alertmanager, stack.child())


def _mail_clients(stack: Composition) -> None:
    settings, names = stack.settings, stack.names
    trip, reader = settings.monitoring.trip, settings.monitoring.report_reader
    if trip is not None:
        told = round_trip.arguments(settings, trip)
        args = _account(stack, "round-trip", told, "roundTripPassword", (names.smtp, names.imap))
        RoundTrip("round-trip", stack.site, args, stack.child())
    if reader is not None:
        told = reports.arguments(settings, reader)
        args = _account(stack, "report-reader", told, "reportsPassword", (names.imap,))
        ReportReader("report-reader", stack.site, args, stack.child())


def _account(
    stack: Composition, daemon: str, told: Sequence[str], secret: str, names: Sequence[str]
) -> MailClientArgs:
    return MailClientArgs(
        build=stack.build(daemon, "postfix"),
        arguments=told,
        password=stack.secret(secret),
        names=names,
        address=stack.inside_address("proxy"),
    )


def _hidden(stack: Composition, url: str | None, key: str) -> pulumi.Output[str] | None:
    """A URL that holds a token."""
    return stack.secret(key) if url == WEBHOOK_IS_SECRET else None
