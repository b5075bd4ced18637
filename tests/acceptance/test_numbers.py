"""The stack's own Prometheus reads and judges all that it is told to, and its logs are found by the words of LogsQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from model.accounts import OPERATOR
from model.monitoring import prometheus, rules
from tests.acceptance.asking import basic
from tests.acceptance.numbers import Numbers
from tests.acceptance.stack import Stack, eventually, until_none

_READ_SECONDS = 420
"""The slowest job is read every four minutes."""


def _page(stack: Stack, path: str, **parameters: str) -> str:
    """A page about the stack, as its operator sees it."""
    password = stack.program.must("config", "get", "--stack", stack.mode, "kolab:monitoringPassword").strip()
    url = f"https://{stack.names.website}{path}?{urlencode(parameters)}"
    head, _, body = stack.client("ask", "GET", url, basic(OPERATOR, password)).partition("\n\n")
    assert head.splitlines()[0] == "200", head
    return body


@dataclass(frozen=True)
class Own(Numbers):
    """The stack's own Prometheus, asked through the website."""

    stack: Stack

    def ask(self, path: str, **parameters: str) -> Any:
        return json.loads(_page(self.stack, f"/prometheus/api/v1/{path}", **parameters))["data"]


@pytest.mark.proves("prometheus", "blackbox", "imap", "victorialogs", "alertmanager")
def test_prometheus_reads_every_target(stack: Stack) -> None:
    jobs = {each["job_name"] for each in yaml.safe_load(prometheus.config(stack.settings))["scrape_configs"]}
    numbers = Own(stack)
    until_none(lambda: numbers.unread(jobs), _READ_SECONDS)
    assert {each["labels"]["job"] for each in numbers.targets()} == jobs


@pytest.mark.proves("prometheus")
def test_prometheus_judges_every_alert(stack: Stack) -> None:
    wanted = {each.name for each in rules.alerts(stack.settings)}
    numbers = Own(stack)
    until_none(lambda: numbers.unjudged(wanted), _READ_SECONDS)
    assert {each["name"] for each in numbers.rules()} == wanted


@pytest.mark.proves("victorialogs")
def test_lines_of_a_daemon_are_found_by_its_stream(stack: Stack) -> None:
    found = _found(stack, '{pod_name=~"postfix.*"} | fields pod_name, container_name, _msg | limit 20')
    assert all(each["_msg"] for each in found)
    assert {each["pod_name"].partition("-")[0] for each in found} == {"postfix"}


@pytest.mark.proves("victorialogs")
def test_lines_are_counted_by_container(stack: Stack) -> None:
    found = _found(stack, "* | stats by (container_name) count() as lines")
    assert {"postfix", "imap", "proxy", "mariadb"} <= {each["container_name"] for each in found}
    assert all(int(each["lines"]) > 0 for each in found)


def _found(stack: Stack, query: str) -> list[dict[str, str]]:
    """What VictoriaLogs finds, once it has what is asked for: a line of JSON for each."""

    def lines() -> list[str]:
        return _page(stack, "/select/logsql/query", query=query).splitlines()

    return [json.loads(line) for line in eventually(lines, f"nothing is found: {query}")]
