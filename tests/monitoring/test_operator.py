"""What a prometheus-operator of the cluster is given: the same numbers, the same alerts, and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.operator import PrometheusOperator, PrometheusOperatorArgs
from model import topology
from model.monitoring import operator, prometheus, rules
from model.monitoring.scope import scoped
from model.settings import Settings
from tests.monitoring.checkers import run, settings
from tests.monitoring.deployed import deployed, of_kind
from tests.monitoring.rule_cases import CASES
from tests.support.validate import schema_errors

LEFT = {
    "mode": "prometheus-operator",
    "operator": {"namespace": "watching", "labels": {"release": "mine", "app.kubernetes.io/name": "theirs"}},
    "roundTrip": {"mailbox": "round-trip@example.org"},
    "reports": {"mailbox": "reports@example.org"},
}
STACK = settings(monitoring=LEFT)
LABELS = {"release": "mine", "app.kubernetes.io/name": "theirs"}
OF_OWN_ENGINES = {"NotificationsFailing", "RulesFailing", "Watchdog"}


def objects(stack: Settings = STACK) -> list[dict[str, Any]]:
    args = PrometheusOperatorArgs(
        scrape_configs=operator.scrape_configs(stack), rules=operator.rule(stack), labels=LABELS
    )
    return deployed(lambda site: PrometheusOperator("operator", site, args))


def alerts(stack: Settings = STACK) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in operator.rule(stack)["groups"] for rule in group["rules"]}


def jobs(stack: Settings) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(prometheus.config(stack))["scrape_configs"]
    return {job["job_name"]: job for job in found}


def test_its_own_definitions_accept_every_object() -> None:
    assert schema_errors(objects()) == []


def test_every_object_carries_what_the_selectors_ask_for() -> None:
    assert len(objects()) > 5
    assert all(each["metadata"]["labels"].items() >= LABELS.items() for each in objects())


def test_the_same_jobs_are_read_but_those_of_engines_that_are_not_there() -> None:
    own = settings()
    assert set(operator.scrape_configs(STACK)) == set(jobs(own)) - {"prometheus", "alertmanager"}


@pytest.mark.parametrize("job", [name for name in jobs(settings()) if name in operator.scrape_configs(STACK)])
def test_a_job_is_read_as_often_and_at_the_same_path(job: str) -> None:
    found, own = operator.scrape_configs(STACK)[job], jobs(settings())[job]
    assert (found["metricsPath"], found["scrapeInterval"], found["scrapeTimeout"]) == (
        own["metrics_path"],
        own["scrape_interval"],
        own["scrape_timeout"],
    )


def test_every_name_is_one_that_another_namespace_can_resolve() -> None:
    for name, spec in operator.scrape_configs(STACK).items():
        targets = [each for part in spec.get("staticConfigs", ()) for each in part["targets"]]
        asked = [each["replacement"] for each in spec["relabelings"] if each["targetLabel"] == "__address__"]
        names = [each for part in spec.get("dnsSDConfigs", ()) for each in part["names"]]
        reached = asked or targets or names
        assert reached, name
        assert all(".svc.cluster.local" in each for each in reached), name


def test_every_number_says_of_which_job_and_stack_it_is() -> None:
    for name, spec in operator.scrape_configs(STACK).items():
        assert spec["relabelings"][-2:] == [
            {"targetLabel": "job", "replacement": name},
            {"targetLabel": "stack", "replacement": "example.org"},
        ]


def test_parameters_of_a_probe_keep_their_names() -> None:
    (first, *_) = operator.scrape_configs(STACK)["probe"]["staticConfigs"]
    assert {"__param_module", "instance", "probe", "service"} <= first["labels"].keys()


def test_no_alert_is_missing_but_those_about_engines_that_are_not_there() -> None:
    own = settings(monitoring={"alerts": {"heartbeat": "https://alive.example.com"}})
    assert {each.name for each in rules.alerts(own)} - alerts().keys() == OF_OWN_ENGINES


def test_an_alert_says_the_same_and_of_which_stack_it_is() -> None:
    for each in rules.alerts(STACK):
        found, own = alerts()[each.name], each.rule()
        assert found["annotations"] == own["annotations"]
        assert (found["for"], found["labels"]) == (
            own["for"],
            {"severity": each.severity, "service": each.service, "stack": "example.org"},
        )


def test_prometheus_finds_no_fault_in_the_rules(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(operator.rule(STACK)))
    checked = run("promtool", "check", "rules", "--lint-fatal", tmp_path / "rules.yml")
    assert f"{len(alerts())} rules" in checked


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up == 0", 'up{s="v"} == 0'),
        ('up{job=~"a|b",}', 'up{job=~"a|b",s="v"}'),
        ("up{}", 'up{s="v"}'),
        ('x{a="}",b="{"}', 'x{a="}",b="{",s="v"}'),
        ("sum by (job) (rate(x[5m])) / on (job) y", 'sum by (job) (rate(x{s="v"}[5m])) / on (job) y{s="v"}'),
        ("sum(x) without (job) > 1e3", 'sum(x{s="v"}) without (job) > 1e3'),
        ("x unless x offset 10m", 'x{s="v"} unless x{s="v"} offset 10m'),
        ("a and on () b or vector(1)", 'a{s="v"} and on () b{s="v"} or vector(1)'),
        ("a * on (i) group_left (n) b", 'a{s="v"} * on (i) group_left (n) b{s="v"}'),
        ("x > bool 0", 'x{s="v"} > bool 0'),
        ("absent(up)", 'absent(up{s="v"})'),
        ("time() - x < 86400", 'time() - x{s="v"} < 86400'),
    ],
)
def test_every_selector_asks_for_the_stack_and_nothing_else_changes(expression: str, expected: str) -> None:
    assert scoped(expression, "s", "v") == expected


def _case(folder: Path, name: str, series: dict[str, str]) -> Path:
    """A question to promtool: alert `name` does not fire at the end of `series`."""
    case, rules_file = CASES[name], folder / f"{name}.rules"
    rules_file.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [alerts()[name]]}]}))
    expression = f'count(ALERTS{{alertname="{name}", alertstate="firing"}} > 0) or vector(0)'
    asked = {"expr": expression, "eval_time": case.after, "exp_samples": [{"labels": "{}", "value": 0}]}
    test = {
        "interval": f"{case.step}m",
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "promql_expr_test": [asked],
    }
    file = folder / f"{name}.yml"
    file.write_text(
        yaml.safe_dump(
            {"rule_files": [rules_file.name], "evaluation_interval": f"{case.step}m", "tests": [test]}
        )
    )
    return file


@pytest.mark.thorough
def test_another_stacks_trouble_on_the_same_prometheus_alarms_nobody_here(tmp_path: Path) -> None:
    def of(stack: str, series: dict[str, str]) -> dict[str, str]:
        return {scoped(key, "stack", stack): values for key, values in series.items()}

    files = [
        _case(tmp_path, name, of("example.org", CASES[name].good) | of("example.com", CASES[name].bad))
        for name in alerts()
    ]
    run("promtool", "test", "rules", *files)


@pytest.mark.thorough
def test_trouble_of_this_stack_alarms_while_another_is_well(tmp_path: Path) -> None:
    for name in alerts():
        case = CASES[name]
        series = {scoped(key, "stack", "example.org"): values for key, values in case.bad.items()}
        series |= {scoped(key, "stack", "example.com"): values for key, values in case.good.items()}
        file = _case(tmp_path, name, series)
        file.write_text(file.read_text().replace("value: 0", "value: 1"))
    run("promtool", "test", "rules", *sorted(tmp_path.glob("*.yml")))


def test_its_pods_alone_may_read_each_daemon_at_the_port_of_its_numbers() -> None:
    found = {daemon.name: peer for daemon, peer in topology.readers(STACK).items()}
    assert {name: [port.number for port in peer.ports] for name, peer in found.items()} == {
        "webapp": [8000],
        "imap": [11080],
        "victorialogs": [9428],
        "blackbox": [9115],
        "postfix": [9154],
        "vector": [9598],
        "round-trip": [9025],
        "report-reader": [9026],
    }
    assert {peer.pods for peer in found.values()} == {
        topology.Pods("watching", (("app.kubernetes.io/name", ("prometheus",)),))
    }
    assert not any(peer.blocks for peer in found.values())


def test_with_engines_of_its_own_a_stack_lets_no_other_prometheus_in() -> None:
    assert topology.readers(settings()) == {}


def test_neither_prometheus_nor_alertmanager_is_made() -> None:
    running = {each.name for each in topology.daemons(STACK)}
    assert {"victorialogs", "vector", "blackbox"} <= running
    assert not running & {"prometheus", "alertmanager"}


def test_the_kinds_are_those_that_the_cluster_is_asked_for() -> None:
    made = {f"{each['kind'].lower()}s.monitoring.coreos.com" for each in objects()}
    assert made == set(operator.CRDS)
    assert [each["metadata"]["name"] for each in of_kind(objects(), "PrometheusRule")] == ["kolab"]
