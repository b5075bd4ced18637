"""Monitoring: numbers, alerts, logs, probes."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from components.alertmanager import Alertmanager, AlertmanagerArgs
from components.blackbox import Blackbox, BlackboxArgs
from components.composition import Composition
from components.prometheus import Prometheus, PrometheusArgs
from components.vector import Vector, VectorArgs
from components.victorialogs import Victorialogs, VictorialogsArgs
from model.monitoring import alertmanager as alertmanager_config
from model.monitoring import blackbox as blackbox_config
from model.monitoring import prometheus as prometheus_config
from model.monitoring import rules
from model.monitoring import vector as vector_config
from model.monitoring import victorialogs as victorialogs_config
from model.urls import SECRET as WEBHOOK_IS_SECRET


def watch(stack: Composition, logs: pulumi.Output[str]) -> None:
    """All of monitoring. `logs` is the namespace of the log collector."""
    settings = stack.settings
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
        password=stack.secret("noreplyPassword") if alertmanager_config.sends_mail(settings) else None,
        webhook=stack.secret("alertsWebhook")
        if settings.monitoring.alerts.webhook == WEBHOOK_IS_SECRET
        else None,
    )
    Alertmanager("alertmanager", stack.site, alertmanager, stack.child())
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
    vector = VectorArgs(
        build=stack.build("vector"),
        cluster_name=f"{settings.kubernetes.namespace}-vector",
        configuration=vector_config.config(settings),
        flags=vector_config.FLAGS,
        se_linux_type=settings.monitoring.se_linux_type,
    )
    Vector("vector", replace(stack.site, namespace=logs), vector, stack.child())
