"""What Grafana shows: two boards of the same numbers that the alerts judge.

Every number is one that some daemon of the stack exports; container memory and what volumes hold are the kubelet's, which
only a Prometheus of the whole cluster reads. A board is JSON for Grafana's sidecar
(https://grafana.com/docs/grafana/latest/reference/dashboard-json-model/).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from model.monitoring.alert import events
from model.monitoring.operator import STACK
from model.monitoring.scope import scoped
from model.settings import Settings

LABEL = {"grafana_dashboard": "1"}
"""What the sidecar of kube-prometheus-stack and of Grafana's own chart looks for."""
_WIDTH, _HEIGHT = 12, 8
"""Of 24 columns."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A graph: expression -> what each of its lines is called."""

    title: str
    lines: dict[str, str]
    unit: str = "short"


@dataclass(frozen=True, kw_only=True)
class Board:
    """A page of panels."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def boards(settings: Settings) -> tuple[Board, ...]:
    """Both, with the panels that this stack has numbers for."""
    return (
        Board(name="mail", title="Kolab: mail", panels=(*_mail(settings),)),
        Board(name="load", title="Kolab: load", panels=(*_load(settings),)),
    )


def files(settings: Settings) -> dict[str, str]:
    """Name of a file -> the board in it."""
    return {f"kolab-{each.name}.json": _json(settings, each) for each in boards(settings)}


def _rate(event: str, **labels: str) -> str:
    """Log lines a minute."""
    return f"rate({events(event, **labels)}[5m]) * 60"


def _mail(settings: Settings) -> Iterator[Panel]:
    waiting = "postfix_showq_message_age_seconds_count"
    # The buckets of the exporter are powers of ten, and some versions write them as floats.
    older = 'postfix_showq_message_age_seconds_bucket{queue="deferred",le=~"100000([.]0)?"}'
    yield Panel(title="Messages in the queues", lines={f"sum by (queue) ({waiting})": "{{queue}}"})
    yield Panel(
        title="Deferred for more than a day",
        lines={
            f'sum({waiting}{{queue="deferred"}} - ignoring (le) {older})': "messages",
        },
    )
    yield Panel(
        title="Port 25, a minute",
        lines={
            f"sum({_rate('smtp-client')})": "taken",
            f"sum by (detail) ({_rate('smtp-reject')})": "refused, {{detail}}",
        },
    )
    yield Panel(title="Sent by our people, a minute", lines={f"sum({_rate('submission')})": "messages"})
    yield Panel(
        title="Into mailboxes, a minute", lines={f"sum by (detail) ({_rate('delivery-local')})": "{{detail}}"}
    )
    yield Panel(
        title="To the world, a minute", lines={f"sum by (detail) ({_rate('delivery-remote')})": "{{detail}}"}
    )
    # Amavis' words: passed clean, passed spam, passed spammy, blocked infected.
    yield Panel(
        title="The filter's verdicts, a minute", lines={f"sum by (detail) ({_rate('filter')})": "{{detail}}"}
    )
    yield Panel(
        title="Failed logins, a minute", lines={f"sum by (origin) ({_rate('auth-failure')})": "{{origin}}"}
    )
    if settings.monitoring.trip:
        yield Panel(
            title="A message to ourselves takes",
            unit="s",
            lines={"max(kolab_round_trip_seconds)": "there and back"},
        )
    if settings.monitoring.report_reader:
        yield Panel(
            title="Our mail as receivers judge it (DMARC), seven days",
            lines={"sum by (source, verdict) (kolab_dmarc_messages)": "{{source}}, {{verdict}}"},
        )
        yield Panel(
            title="Sessions of senders as they report them (TLS), seven days",
            lines={"sum by (outcome) (kolab_tls_sessions)": "{{outcome}}"},
        )


def _load(settings: Settings) -> Iterator[Panel]:
    yield Panel(title="What answers", lines={"min by (job) (up)": "{{job}}"})
    yield Panel(
        title="Services as the world sees them", lines={"min by (probe) (probe_success)": "{{probe}}"}
    )
    yield Panel(
        title="Sessions of IMAP",
        lines={
            "sum(cyrus_imap_active_connections)": "open",
            "sum(cyrus_imap_ready_listeners)": "processes that wait for one",
        },
    )
    yield Panel(
        title="No connection to the database, no room in Redis, no room on a disk",
        lines={
            f"sum by (event, origin) (increase({events('no-connection|redis-full|no-space')}[5m]))": "{{origin}}: {{event}}"
        },
    )
    yield Panel(title="Jobs that wait", lines={"sum by (queue) (kolab_horizon_queue_size)": "{{queue}}"})
    yield Panel(title="Accounts", lines={"sum by (state) (kolab_users_count)": "{{state}}"})
    yield Panel(title="Room left for logs", unit="bytes", lines={"min(vl_free_disk_space_bytes)": "free"})
    if settings.monitoring.reader is None:
        yield Panel(
            title="Numbers kept",
            unit="bytes",
            lines={"prometheus_tsdb_storage_blocks_bytes": "on the volume"},
        )
        return
    ours = f'namespace="{settings.kubernetes.namespace}"'
    memory, limit = "container_memory_working_set_bytes", "kube_pod_container_resource_limits"
    used, room = "kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"
    yield Panel(
        title="Memory, of its limit",
        unit="percentunit",
        lines={
            f'max by (pod, container) ({memory}{{{ours},container!=""}})'
            f' / max by (pod, container) ({limit}{{{ours},resource="memory"}})': "{{pod}}: {{container}}"
        },
    )
    yield Panel(
        title="Volumes, of their size",
        unit="percentunit",
        lines={
            f"max by (persistentvolumeclaim) ({used}{{{ours}}})"
            f" / max by (persistentvolumeclaim) ({room}{{{ours}}})": "{{persistentvolumeclaim}}"
        },
    )


OF_THE_CLUSTER = ("container_", "kube_", "kubelet_")
"""How the names of numbers begin that a cluster's Prometheus has of the kubelet and of kube-state-metrics. They know
nothing of stacks, so the namespace says whose they are."""


def expressions(settings: Settings, board: Board) -> Iterator[str]:
    """What Grafana asks, panel by panel."""
    for panel in board.panels:
        for expression in panel.lines:
            yield _narrow(settings, expression)


def _narrow(settings: Settings, expression: str) -> str:
    if settings.monitoring.reader is None or any(word in expression for word in OF_THE_CLUSTER):
        return expression
    return scoped(expression, STACK, settings.domain)


def _json(settings: Settings, board: Board) -> str:
    source = {"type": "prometheus", "uid": "${datasource}"}
    title = f"{board.title}, {settings.domain}"
    made = {
        # Two stacks in one Grafana are two boards.
        "uid": f"kolab-{board.name}-{settings.kubernetes.namespace}"[:40],
        "title": title,
        "tags": ["kolab"],
        "schemaVersion": 36,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
            ]
        },
        "panels": [*_panels(settings, board.panels, source)],
    }
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def _panels(settings: Settings, panels: Sequence[Panel], source: dict[str, str]) -> Iterator[dict[str, Any]]:
    for number, panel in enumerate(panels):
        yield {
            "id": number + 1,
            "type": "timeseries",
            "title": panel.title,
            "datasource": source,
            "gridPos": {
                "x": number % 2 * _WIDTH,
                "y": number // 2 * _HEIGHT,
                "w": _WIDTH,
                "h": _HEIGHT,
            },
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": source,
                    "expr": _narrow(settings, expression),
                    "legendFormat": legend,
                }
                for place, (expression, legend) in enumerate(panel.lines.items())
            ],
        }
