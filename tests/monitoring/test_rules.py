"""Every alert fires when it should, keeps quiet when it should, and leads to its entry in the runbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from model.monitoring import rules
from model.monitoring.alert import Alert
from tests.engine.program import CHECKOUT
from tests.monitoring.checkers import MONITORING, attempt, run, settings
from tests.monitoring.rule_cases import CASES, Case
from tests.support.document import document

ALERTS = {alert.name: alert for alert in rules.alerts(settings())}
KNOWN = {name: case for name, case in CASES.items() if name in ALERTS}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Whether each alert fires at the end of each of its cases, as Prometheus itself computes it: several in one run."""
    folder = tmp_path_factory.mktemp("alerts")
    files = [
        _test(name, case, series, folder / f"{name}-{kind}.yml")
        for name, case in KNOWN.items()
        for kind, series in (("bad", case.bad), ("good", case.good))
    ]
    fired: dict[str, bool] = {}
    for first in range(0, len(files), _AT_ONCE):
        fired |= _verdicts(files[first : first + _AT_ONCE])
    return fired


_AT_ONCE = 24
"""Cases of one run of promtool: on a busy machine all of them take longer than a checker may."""


def _verdicts(files: Sequence[Path]) -> dict[str, bool]:
    report = files[0].with_suffix(".xml")
    done = attempt("promtool", "test", "rules", f"--junit={report}", *files)
    suites = ElementTree.parse(report).iter("testsuite")  # noqa: S314 (written by promtool)
    said = {Path(suite.attrib["name"]).stem: suite for suite in suites}
    assert said.keys() == {file.stem for file in files}, done.stderr
    trouble = {stem: "".join(suite.itertext()) for stem, suite in said.items()}
    # Those that did not fire must have been computed.
    assert all("got:" in words for words in trouble.values() if words), done.stderr
    return {stem: not words for stem, words in trouble.items()}


def _test(name: str, case: Case, series: dict[str, str], file: Path) -> Path:
    """Writes the question whether alert `name` fires at the end of `series`."""
    rule = {"groups": [{"name": "one", "rules": [ALERTS[name].rule()]}]}
    rules_file = file.with_suffix(".rules")
    rules_file.write_text(yaml.safe_dump(rule))
    expression = f'count(ALERTS{{alertname="{name}", alertstate="firing"}} > 0) or vector(0)'
    test = {
        "rule_files": [rules_file.name],
        "evaluation_interval": f"{case.step}m",
        "tests": [
            {
                "interval": f"{case.step}m",
                "input_series": [{"series": key, "values": values} for key, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": expression,
                        "eval_time": case.after,
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                ],
            }
        ],
    }
    file.write_text(yaml.safe_dump(test))
    return file


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_every_alert_has_a_case(name: str) -> None:
    assert name in CASES, "write when it fires and when not, in rule_cases.py"


@pytest.mark.parametrize("name", KNOWN)
def test_the_alert_fires(name: str, verdicts: dict[str, bool]) -> None:
    assert verdicts[f"{name}-bad"]


@pytest.mark.parametrize("name", KNOWN)
def test_the_alert_keeps_quiet(name: str, verdicts: dict[str, bool]) -> None:
    assert not verdicts[f"{name}-good"]


def test_prometheus_finds_no_fault_in_any_rule(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rules.config(settings()))
    assert f"{len(ALERTS)} rules" in run("promtool", "check", "rules", "--lint-fatal", tmp_path / "rules.yml")


def test_no_two_alerts_have_the_same_name() -> None:
    assert len(ALERTS) == len(rules.alerts(settings()))


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_the_runbook_link_leads_to_the_alerts_own_section(alert: Alert) -> None:
    page, _, anchor = _annotations(alert)["runbook_url"].partition("#")
    headings = [token for token in document((CHECKOUT / page).read_text()).anchors if token == anchor]
    assert headings == [alert.name.lower()]


def test_links_lead_to_the_operators_own_copy_when_there_is_one() -> None:
    own = "https://wiki.example.org/alerts?page=1"
    text = yaml.safe_load(rules.config(settings(monitoring={**MONITORING, "runbookUrl": own})))
    links = {rule["annotations"]["runbook_url"] for group in text["groups"] for rule in group["rules"]}
    assert links == {f"{own}#{name.lower()}" for name in ALERTS}


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_the_first_steps_travel_with_the_alert(alert: Alert, tmp_path: Path) -> None:
    assert all(step in _annotations(alert)["steps"] for step in alert.steps)


def test_steps_are_sent_as_they_are_written(tmp_path: Path) -> None:
    braces = replace(ALERTS["TargetDown"], steps=("Look at `{{ x }}`.",))
    (tmp_path / "rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "one", "rules": [braces.rule()]}]})
    )
    run("promtool", "check", "rules", tmp_path / "rules.yml")
    assert _annotations(braces)["steps"] == '1. Look at `{{"{{"}} x }}`.'


def _annotations(alert: Alert) -> dict[str, str]:
    found: dict[str, str] = alert.rule()["annotations"]  # type: ignore[assignment]
    return found


def test_single_node_misses_its_only_postfix_pod_loudly() -> None:
    only = {alert.name: alert for alert in rules.alerts(settings(mode="single-node"))}
    assert (only["PostfixPodMissing"].severity, ALERTS["PostfixPodMissing"].severity) == ("page", "ticket")


def test_spam_that_the_stack_file_keeps_from_people_makes_no_tickets() -> None:
    chosen = settings(mail={"spam": {"quarantineAt": 12}})
    (told,) = (alert for alert in rules.alerts(chosen) if alert.name == "MailDiscarded")
    assert 'detail!="blocked spam"' in told.expr
    assert "!=" not in ALERTS["MailDiscarded"].expr
