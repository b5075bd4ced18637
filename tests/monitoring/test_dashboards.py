"""Boards for Grafana: each graph draws something, from numbers that somebody exports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from components.dashboards import Dashboards, DashboardsArgs
from model.monitoring import dashboards, prometheus, rules
from model.monitoring.dashboards import OF_THE_CLUSTER
from model.monitoring.log_program import program as log_program
from model.monitoring.scope import _TOKEN
from model.settings import Settings
from tests.monitoring.checkers import run, settings
from tests.monitoring.deployed import Manifest, deployed
from tests.monitoring.test_operator import LEFT

OWN, CLUSTERS = settings(), settings(monitoring=LEFT)
EITHER = pytest.mark.parametrize("stack", [OWN, CLUSTERS], ids=["own", "prometheus-operator"])
EXPORTED = {
    "up": "Prometheus itself",
    # imap/promdata.p of Cyrus.
    "cyrus_imap_active_connections": "imap",
    "cyrus_imap_ready_listeners": "imap",
    # tsdb/db.go of Prometheus.
    "prometheus_tsdb_storage_blocks_bytes": "prometheus",
}
"""What no alert asks for -> the job whose daemon says it."""
SERIES = (
    *(
        f'postfix_showq_message_age_seconds_count{{queue="{q}",instance="p1"}}'
        for q in ("active", "deferred")
    ),
    'postfix_showq_message_age_seconds_bucket{queue="deferred",instance="p1",le="100000"}',
    *(
        f'kolab_log_events_total{{event="{event}",detail="x",origin="y",instance="n1"}}'
        for event in (
            [
                "smtp-client",
                "smtp-reject",
                "submission",
                "delivery-local",
                "delivery-remote",
                "filter",
                "auth-failure",
                "no-space",
            ]
        )
    ),
    'kolab_round_trip_seconds{instance="r1"}',
    'kolab_dmarc_messages{domain="example.org",source="ours",verdict="aligned",instance="r1"}',
    'kolab_tls_sessions{domain="example.org",outcome="good",instance="r1"}',
    'up{job="imap",instance="x"}',
    'probe_success{probe="smtp",instance="x"}',
    'cyrus_imap_active_connections{instance="x"}',
    'cyrus_imap_ready_listeners{instance="x"}',
    'kolab_horizon_queue_size{queue="default"}',
    'kolab_users_count{state="active"}',
    'vl_free_disk_space_bytes{instance="x"}',
    'prometheus_tsdb_storage_blocks_bytes{instance="x"}',
    'container_memory_working_set_bytes{namespace="kolab",pod="imap-0",container="imap",id="/x"}',
    'kube_pod_container_resource_limits{namespace="kolab",pod="imap-0",container="imap",resource="memory"}',
    'kubelet_volume_stats_used_bytes{namespace="kolab",persistentvolumeclaim="imap-mailboxes"}',
    'kubelet_volume_stats_capacity_bytes{namespace="kolab",persistentvolumeclaim="imap-mailboxes"}',
)
"""As the daemons export them."""


def texts(stack: Settings) -> dict[str, str]:
    return dashboards.files(stack)


def asked(stack: Settings) -> list[str]:
    """Every expression, as it stands in the files that Grafana reads."""
    return [
        target["expr"]
        for text in texts(stack).values()
        for panel in json.loads(text)["panels"]
        for target in panel["targets"]
    ]


def names(expression: str) -> set[str]:
    return {found["metric"] for found in _TOKEN.finditer(expression) if found["metric"]}


def jobs(stack: Settings) -> set[str]:
    own = {"prometheus"} if stack.monitoring.own else set()
    return {job["job_name"] for job in prometheus.jobs(stack)} | own


@EITHER
def test_no_graph_asks_for_a_number_that_nothing_exports(stack: Settings) -> None:
    known = {name for alert in rules.alerts(stack) for name in names(alert.expr)}
    known |= {name for name, job in EXPORTED.items() if name == "up" or job in jobs(stack)}
    wanted = {name for expression in asked(stack) for name in names(expression)}
    if stack is CLUSTERS:
        wanted = {name for name in wanted if not name.startswith(OF_THE_CLUSTER)}
    assert wanted - known == set()


@EITHER
def test_no_graph_counts_log_lines_that_nobody_finds(stack: Settings) -> None:
    patterns = [word for text in asked(stack) for word in re.findall(r'event=~"([^"]+)"', text)]
    events = {word for pattern in patterns for word in pattern.split("|")}
    assert len(events) > 8
    assert {word for word in events if f'event = "{word}"' not in log_program(stack)} == set()


@pytest.mark.parametrize(
    ("program", "names"),
    [("/usr/lib/*/libcyrus_imap.so.0", "cyrus_imap_"), ("/usr/bin/prometheus", "prometheus_tsdb_")],
)
def test_the_daemons_know_these_numbers_by_these_names(program: str, names: str) -> None:
    found = next(Path("/").glob(program[1:]), None)
    if found is None:
        pytest.skip(f"{program} is not installed")
    binary = found.read_bytes()
    wanted = [name for name in EXPORTED if name.startswith(names)]
    assert wanted
    assert [name for name in wanted if name.encode() not in binary] == []


@EITHER
def test_every_graph_draws_something(stack: Settings, tmp_path: Path) -> None:
    label = f'stack="{stack.domain}",'
    series = [
        each if stack is OWN or each.startswith(OF_THE_CLUSTER) else each.replace("{", "{" + label, 1)
        for each in SERIES
    ]
    test = {
        "rule_files": [],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": each, "values": "1+1x30"} for each in series],
                "promql_expr_test": [
                    {
                        "expr": f"count({expression}) > bool 0",
                        "eval_time": "30m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                    for expression in asked(stack)
                ],
            }
        ],
    }
    (tmp_path / "boards.yml").write_text(yaml.safe_dump(test))
    run("promtool", "test", "rules", tmp_path / "boards.yml")


def test_a_prometheus_of_many_stacks_is_asked_about_this_one_alone() -> None:
    for expression in asked(CLUSTERS):
        selectors = re.findall(r"\{[^{}]*\}", expression)
        assert selectors
        for each in selectors:
            assert 'stack="example.org"' in each or 'namespace="kolab"' in each


def objects(stack: Settings) -> list[Manifest]:
    return deployed(lambda site: Dashboards("dashboards", site, DashboardsArgs(files=texts(stack))))


@EITHER
def test_grafanas_sidecar_finds_both_boards(stack: Settings) -> None:
    found = objects(stack)
    assert [each["metadata"]["labels"]["grafana_dashboard"] for each in found] == ["1", "1"]
    boards = [json.loads(text) for each in found for text in each["data"].values()]
    assert len({board["uid"] for board in boards}) == 2
    assert all(board["panels"] for board in boards)


@pytest.mark.parametrize(
    ("monitoring", "shown"),
    [
        ({}, False),
        ({"dashboards": True}, True),
        (LEFT, True),
        (LEFT | {"dashboards": False}, False),
        ({"dashboards": True, "enabled": False}, False),
    ],
)
def test_boards_are_made_where_a_grafana_has_the_numbers_or_where_it_is_asked_for(
    monitoring: dict[str, object], shown: bool
) -> None:
    assert settings(monitoring=monitoring).monitoring.shown is shown
