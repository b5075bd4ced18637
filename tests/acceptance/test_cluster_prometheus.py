"""A stack that leaves its numbers and alerts to the cluster's Prometheus is read, judged and guarded as with one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model import topology
from model.accounts import OPERATOR
from model.monitoring import operator as given
from model.monitoring import rules
from tests.acceptance.asking import basic
from tests.acceptance.cluster_prometheus import READER, Watched, leave, theirs, watched
from tests.acceptance.connections import Source, inside, policy_of, probe
from tests.acceptance.console import Console
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack, eventually, until_none
from tests.acceptance.strangers import ELSEWHERE, Stranger, strangers
from tests.lab.cluster import Lab
from tests.lab.prometheus_operator import NAME, NAMESPACE
from tests.support.reach import OPEN, Target, differences

pytestmark = [
    # The operator is built first, and an alert waits for minutes.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves(),
]

_READ_SECONDS = 420
"""The kubelet brings a changed Secret into a pod within a minute or two, and the slowest job is read every four minutes."""
_FIRES_SECONDS = 600
_PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}


@pytest.fixture(scope="module")
def operator(stack: Stack, own_lab: Lab) -> Iterator[None]:
    with theirs(stack, own_lab):
        yield


@pytest.fixture(scope="module")
def reading(stack: Stack, operator: None) -> Iterator[Watched]:
    with watched(stack) as made:
        yield made


def _refused(stack: Stack, **operator: Any) -> str:
    """What a preview says of a stack that is left to a Prometheus which is described so."""
    before = stack.program.config()
    try:
        leave(stack, {**READER, **operator})
        run = stack.engine("preview")
    finally:
        stack.program.write(before)
    assert run.code != 0, run.output
    return "\n".join([*run.errors, run.output])


@pytest.mark.usefixtures("operator")
def test_a_preview_refuses_labels_that_the_selectors_do_not_ask_for(stack: Stack) -> None:
    said = _refused(stack, labels={"release": "ours"})
    for selector in ("scrapeConfigSelector", "ruleSelector"):
        asked = f"have nothing for Prometheus {NAMESPACE}/{NAME}: its {selector} asks for release=theirs"
        assert asked in said


@pytest.mark.usefixtures("operator")
def test_a_preview_refuses_a_namespace_where_no_prometheus_is(stack: Stack) -> None:
    said = _refused(stack, namespace="default")
    assert "is default, where no Prometheus of the operator is" in said
    assert f"use one of {NAMESPACE}" in said


@pytest.mark.usefixtures("operator")
def test_a_preview_gives_up_no_numbers_that_nobody_has_given_up_and_finds_no_other_fault(
    stack: Stack,
) -> None:
    said = _refused(stack)
    assert "prometheus-data: would be deleted or replaced" in said
    assert "rule: data-delete, subject: prometheus-data" in said
    assert "[prometheus-" not in said


@pytest.mark.usefixtures("operator")
def test_the_clusters_page_names_the_prometheus_and_what_its_selector_asks_for(
    stack: Stack, tmp_path: Path
) -> None:
    said = Console(stack, tmp_path).run("cluster", "check").stdout
    assert f"Prometheus {NAMESPACE}/{NAME} (rules: release=theirs)" in said


def test_the_operator_takes_every_job_and_prometheus_reads_every_target(
    reading: Watched, report: Report
) -> None:
    jobs = {*given.scrape_configs(reading.stack.settings)}
    assert {"webapp", "imap", "postfix", "vector", "probe", "names", "round-trip", "report-reader"} <= jobs
    with report.timed("from a ready stack to a cluster's Prometheus that reads all of it"):
        until_none(lambda: reading.unread(jobs), _READ_SECONDS)
    assert {each["labels"]["job"] for each in reading.targets()} == jobs


def test_the_operator_finds_no_fault_in_what_it_is_given(reading: Watched) -> None:
    """It says so in events, and leaves out what is wrong."""
    events = reading.stack.get("events")["items"]
    assert [each["message"] for each in events if each["reason"] == "InvalidConfiguration"] == []


def test_every_number_says_of_which_stack_it_is(reading: Watched) -> None:
    jobs = {*given.scrape_configs(reading.stack.settings)}
    found = reading.query(f'count by (job, stack) ({{job=~"{"|".join(sorted(jobs))}"}})')
    assert {(each["job"], each.get("stack", "")) for each in found} == {(job, "example.org") for job in jobs}


def test_every_alert_is_loaded_and_none_fails_to_be_judged(reading: Watched) -> None:
    wanted = {each.name for each in rules.alerts(reading.stack.settings)}
    until_none(lambda: reading.unjudged(wanted), _READ_SECONDS)
    assert {each["name"] for each in reading.rules()} == wanted
    assert {each["labels"]["stack"] for each in reading.rules()} == {"example.org"}


def test_its_pods_reach_the_ports_of_numbers_and_nobody_beside_them_does(reading: Watched) -> None:
    stack, policy = reading.stack, policy_of(reading.stack)
    numbers = {
        (daemon.name, port.number)
        for daemon, peer in topology.readers(stack.settings).items()
        for port in peer.ports
    }
    targets = [each for each in inside(stack) if each.protocol == "TCP"]
    assert {(each.owner, each.number) for each in targets} >= numbers
    # One beside Prometheus, and one elsewhere that calls itself so.
    others = (Stranger("neighbour", NAMESPACE), Stranger("pretender", ELSEWHERE, _PROMETHEUS))
    with strangers(stack, others) as pods:
        sources = [reading.source]
        for each in others:
            pod = pods[each.name]
            place = (pod["metadata"]["name"], each.namespace, pod["status"]["podIP"])
            sources.append(Source(each.name, *place, outward=True))
        seen = {
            (source, target): answer
            for source in sources
            for target, answer in probe(stack, source, targets, 10).items()
        }

    def allowed(source: Source, target: Target) -> bool:
        reads = source == sources[0] and (target.owner, target.number) in numbers
        return reads or policy.of_stranger(target)

    found = differences(seen, allowed)
    assert not found, "\n".join(["connections differ", *found])


@pytest.mark.proves("proxy", "victorialogs")
@pytest.mark.parametrize(
    ("path", "page", "there"),
    [
        ("/prometheus/-/ready", "Prometheus Server is Ready", False),
        ("/alertmanager/-/ready", "OK", False),
        ("/select/vmui/", "VictoriaLogs", True),
    ],
)
def test_of_the_pages_about_the_stack_the_logs_alone_stay(
    reading: Watched, path: str, page: str, there: bool
) -> None:
    stack = reading.stack
    password = stack.program.must("config", "get", "--stack", stack.mode, "kolab:monitoringPassword").strip()
    url = f"https://{stack.names.website}{path}"
    answer = stack.client("ask", "GET", url, basic(OPERATOR, password)).splitlines()
    assert (answer[0] == "200" and page in answer[-1]) == there, answer


@pytest.mark.proves("redis", "blackbox")
def test_an_alert_fires_when_redis_is_gone_and_ends_when_it_is_back(reading: Watched, report: Report) -> None:
    def firing() -> list[dict[str, str]]:
        return reading.query('ALERTS{alertname="RedisDown",alertstate="firing"}')

    stack = reading.stack
    assert firing() == []
    stack.kubectl("scale", "statefulset/redis", "--replicas=0")
    try:
        with report.timed("from a Redis that is gone to an alert of the cluster's Prometheus"):
            (alert,) = eventually(firing, "no alert fires", seconds=_FIRES_SECONDS, every=5)
    finally:
        stack.kubectl("scale", "statefulset/redis", "--replicas=1")
        stack.wait_ready()
    found = {key: alert[key] for key in ("stack", "severity", "service")}
    assert found == {"stack": "example.org", "severity": "page", "service": "redis"}
    eventually(lambda: not firing(), "the alert never ends", seconds=_READ_SECONDS, every=5)


def test_a_stack_that_watches_itself_again_lets_the_clusters_prometheus_in_no_more(reading: Watched) -> None:
    stack = reading.stack
    stack.program.write(reading.before)
    stack.apply()
    assert stack.get("scrapeconfigs,prometheusrules")["items"] == []
    assert stack.pods("prometheus")
    stack.lab.wait_policies()
    (imap,) = (each for each in inside(stack) if (each.owner, each.number) == ("imap", 11080))
    assert probe(stack, reading.source, [imap], 3)[imap] != OPEN
