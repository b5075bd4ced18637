"""What Prometheus scrapes, and how it stays inside its volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from model.monitoring import prometheus, rules
from model.monitoring.probes import probes
from model.settings import Settings
from model.topology import BLACKBOX, PROMETHEUS, Daemon, connections
from model.types import seconds_of
from tests.monitoring.checkers import run, settings


def jobs(stack: Settings) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in yaml.safe_load(prometheus.config(stack))["scrape_configs"]}


@pytest.mark.parametrize("mode", ["cluster", "single-node"])
def test_prometheus_accepts_the_configuration(mode: str, tmp_path: Path) -> None:
    stack = settings(mode=mode)
    (tmp_path / prometheus.RULES).write_text(rules.config(stack))
    (tmp_path / "prometheus.yml").write_text(prometheus.config(stack).replace(prometheus.PATH, str(tmp_path)))
    assert "SUCCESS" in run("promtool", "check", "config", tmp_path / "prometheus.yml")


def test_every_edge_from_prometheus_is_scraped(stack: Settings) -> None:
    servers = {
        connection.server.name
        for connection in connections(stack)
        if connection.client is PROMETHEUS and isinstance(connection.server, Daemon)
    }
    assert servers == set(jobs(stack)) - {"prometheus", "probe", "domains", "names"}


def test_every_edge_from_blackbox_is_asked_something(stack: Settings) -> None:
    allowed = {
        (connection.server.name, port)
        for connection in connections(stack)
        if connection.client is BLACKBOX
        for port in connection.ports
    }
    asked = {probe.target.removeprefix("https://").partition("/")[0] for probe in probes(stack)}
    assert len(asked) == len(allowed)


def test_the_web_application_is_scraped_under_a_name_that_its_host_check_knows(stack: Settings) -> None:
    # APP_SERVICES_ALLOWED_DOMAINS holds the bare Service name; any other Host is answered with 404.
    assert jobs(stack)["webapp"]["static_configs"] == [{"targets": ["webapp:8000"]}]


def test_every_postfix_pod_is_scraped_because_each_has_its_own_queue(stack: Settings) -> None:
    assert jobs(stack)["postfix"]["dns_sd_configs"][0]["names"] == ["postfix-pods.kolab.svc.cluster.local"]


def test_the_log_collectors_are_found_in_their_own_namespace(stack: Settings) -> None:
    assert jobs(stack)["vector"]["dns_sd_configs"][0]["names"] == ["vector.kolab-logs.svc.cluster.local"]


def test_cyrus_gets_more_than_ten_seconds_to_answer(stack: Settings) -> None:
    assert jobs(stack)["imap"]["scrape_timeout"] == "50s"


def test_no_scrape_takes_longer_than_the_time_to_the_next(stack: Settings) -> None:
    for job in jobs(stack).values():
        assert seconds_of(job["scrape_timeout"]) <= seconds_of(job["scrape_interval"]), job["job_name"]


def test_public_names_are_asked_inside_the_cluster(stack: Settings) -> None:
    targets = [probe.target for probe in probes(stack)]
    assert not [target for target in targets if "example.org" in target], "that packet would need a hairpin"


def test_an_mta_sts_policy_is_asked_for_on_every_mail_domain(stack: Settings) -> None:
    asked = [probe.hostname for probe in probes(stack) if probe.name == "mta-sts"]
    assert asked == ["mta-sts.example.org", "mta-sts.example.net"]


def test_no_mta_sts_policy_is_asked_for_before_there_is_one() -> None:
    assert "mta-sts" not in {probe.name for probe in probes(settings(mail={}))}


def test_metrics_never_fill_their_volume() -> None:
    stack = settings(storage={"metrics": {"size": "10Gi"}})
    assert f"--storage.tsdb.retention.size={8 * 1024**3}B" in prometheus.flags(stack)


def test_links_in_alerts_lead_through_the_proxy(stack: Settings) -> None:
    assert "--web.external-url=https://example.org/prometheus" in prometheus.flags(stack)


def test_alerts_go_to_alertmanager_under_its_path(stack: Settings) -> None:
    alerting = yaml.safe_load(prometheus.config(stack))["alerting"]["alertmanagers"]
    assert alerting == [
        {"path_prefix": "/alertmanager", "static_configs": [{"targets": ["alertmanager:9093"]}]}
    ]


def test_each_hosted_domain_is_asked_for_its_certificate_by_a_name_of_its_own() -> None:
    stack = settings(hostedDomains=["example.net", "example.com"])
    (found,) = [job for job in prometheus.jobs(stack) if job["job_name"] == "domains"]
    labels = [each["labels"] for each in found["static_configs"]]
    assert [(each["instance"], each["__param_hostname"]) for each in labels] == [
        ("example.net", "mta-sts.example.net"),
        ("example.com", "mta-sts.example.com"),
    ]


def test_a_stack_without_hosted_domains_has_no_such_job() -> None:
    assert "domains" not in {job["job_name"] for job in prometheus.jobs(settings(hostedDomains=[]))}


def test_numbers_of_domains_are_renewed_before_prometheus_forgets_them() -> None:
    (found,) = [job for job in prometheus.jobs(settings()) if job["job_name"] == "domains"]
    assert int(found["scrape_interval"].removesuffix("m")) < 5
