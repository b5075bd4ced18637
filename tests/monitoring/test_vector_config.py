"""vector.yaml: what vector would do with it, as far as its text tells."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from model.monitoring import vector
from model.settings import Settings
from tests.monitoring.checkers import settings


@pytest.fixture
def config(stack: Settings) -> dict[str, Any]:
    return yaml.safe_load(vector.config(stack))


def test_nothing_in_it_looks_like_an_environment_variable(stack: Settings) -> None:
    # vector replaces $NAME and ${NAME} in the whole text before it reads the YAML, comments and programs included.
    assert not re.findall(r"\$[\w{$]", vector.config(stack))


def test_logs_come_from_our_namespaces_only() -> None:
    source = yaml.safe_load(vector.config(settings(kubernetes={"namespace": "mail"})))["sources"]["pods"]
    assert source["extra_namespace_label_selector"] == "kubernetes.io/metadata.name in (mail,mail-logs)"


def test_new_files_are_found_within_seconds_because_k3s_rotates_that_fast(config: dict[str, Any]) -> None:
    assert config["sources"]["pods"]["glob_minimum_cooldown_ms"] <= 2000


def test_a_line_that_cannot_be_judged_is_not_stored(config: dict[str, Any]) -> None:
    assert config["transforms"]["lines"]["drop_on_error"] is True


def test_only_judged_lines_are_stored(config: dict[str, Any]) -> None:
    assert config["sinks"]["store"]["inputs"] == ["lines"]


def test_quiet_counters_are_not_forgotten_within_an_hour(config: dict[str, Any]) -> None:
    # The default of 60 s makes a rare event look as if it had never been.
    assert config["sinks"]["metrics"]["flush_period_secs"] >= 86400


def test_counters_carry_no_time_of_their_own(config: dict[str, Any]) -> None:
    # Prometheus would take a counter that has been quiet for five minutes as gone.
    assert config["sinks"]["metrics"]["suppress_timestamp"] is True


def test_a_store_that_is_away_does_not_stop_the_counters(config: dict[str, Any]) -> None:
    assert config["sinks"]["store"]["buffer"]["when_full"] == "drop_newest"


def test_the_disk_buffer_is_as_large_as_vector_demands(config: dict[str, Any]) -> None:
    assert config["sinks"]["store"]["buffer"]["max_size"] >= 268435488


def test_every_input_exists(config: dict[str, Any]) -> None:
    made = {*config["sources"], *config["transforms"]}
    used = {
        i
        for part in (config["transforms"], config["sinks"])
        for step in part.values()
        for i in step["inputs"]
    }
    assert used <= made


def test_every_field_of_the_counter_is_always_there(config: dict[str, Any]) -> None:
    # A missing one is an error on every single line.
    tags = config["transforms"]["counted"]["metrics"][0]["tags"]
    program = config["transforms"]["lines"]["source"]
    always = program[program.index('if event != ""') :] + '.service = "in every event"'
    assert all(f".{value.strip('{}')} = " in always for value in tags.values())


def test_logs_go_to_the_store_in_the_other_namespace(config: dict[str, Any]) -> None:
    uri = config["sinks"]["store"]["uri"]
    assert uri.startswith(
        "http://victorialogs.kolab.svc.cluster.local:9428/insert/jsonline?_stream_fields=service,"
    )
