"""Monitoring: numbers, alerts, logs, probes."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from components.alertmanager import Alertmanager, AlertmanagerArgs
from components.blackbox import Blackbox, BlackboxArgs
from components.composition import Composition
from components.dashboards import Dashboards, DashboardsArgs
from components.operator import PrometheusOperator, PrometheusOperatorArgs
from components.prometheus import Prometheus, PrometheusArgs
from components.report_reader import ReportReader, ReportReaderArgs
from components.round_trip import RoundTrip, RoundTripArgs
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
    _round_trip(stack)
    _report_reader(stack)
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


def _round_trip(stack: Composition) -> None:
    trip = stack.settings.monitoring.trip
    if trip is None:
        return
    args = RoundTripArgs(
        build=stack.build("round-trip", "postfix"),
        arguments=round_trip.arguments(stack.settings, trip),
        password=stack.secret("roundTripPassword"),
        names=(stack.names.smtp, stack.names.imap),
        address=stack.inside_address("proxy"),
    )
    RoundTrip("round-trip", stack.site, args, stack.child())


def _report_reader(stack: Composition) -> None:
    reader = stack.settings.monitoring.report_reader
    if reader is None:
        return
    args = ReportReaderArgs(
        build=stack.build("report-reader", "postfix"),
        arguments=reports.arguments(stack.settings, reader),
        password=stack.secret("reportsPassword"),
        name=stack.names.imap,
        address=stack.inside_address("proxy"),
    )
    ReportReader("report-reader", stack.site, args, stack.child())


def _hidden(stack: Composition, url: str | None, key: str) -> pulumi.Output[str] | None:
    """A URL that holds a token."""
    return stack.secret(key) if url == WEBHOOK_IS_SECRET else None
