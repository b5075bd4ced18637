"""The doctor: healthy is healthy, and each fault is noticed by its check and by no other part of the service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ops import doctor
from ops.__main__ import main
from ops.doctor import memory, output
from ops.doctor.check import Outcome, State
from ops.doctor.checks import CHECKS
from ops.doctor.edge import Edge
from ops.doctor.run import examine
from ops.doctor.score import scores
from ops.doctor.visit import Visit
from tests.acceptance.pace import crowding
from tests.support.faults import FAULTS, Fault
from tests.support.little_world import LittleWorld, little_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LittleWorld]:
    """One for all; each test begins with everything healthy."""
    with little_world(tmp_path_factory.mktemp("world")) as made:
        yield made


def _looked(world: LittleWorld) -> list[Outcome]:
    return examine(Visit(world.settings, world.edge), CHECKS)


@pytest.mark.thorough
def test_a_healthy_stack_has_no_finding_and_is_seen_whole_within_twenty_seconds(world: LittleWorld) -> None:
    world.reset()
    begun = time.monotonic()
    with crowding() as crowd:
        outcomes = _looked(world)
        seconds = time.monotonic() - begun
    assert [(o.key, o.evidence) for o in outcomes if o.state != "passed"] == []
    assert seconds < 20 * crowd.factor


@pytest.mark.thorough
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_noticed_by_its_check_and_by_no_other_part(world: LittleWorld, fault: Fault) -> None:
    world.reset(fault.stack)
    fault.make(world)
    failed = [o for o in _looked(world) if o.state == "failed"]
    concerns = {check.id: check.concern for check in CHECKS}
    assert fault.check in {o.check.id for o in failed}
    strangers = [(o.key, o.evidence) for o in failed if o.check.concern != concerns[fault.check]]
    assert strangers == []


def test_every_check_has_a_fault_that_makes_it_fail() -> None:
    assert {check.id for check in CHECKS} - {fault.check for fault in FAULTS} == set()


def test_ids_are_unique_and_faults_have_one_name_each() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.thorough
def test_a_list_that_refuses_us_is_no_listing(world: LittleWorld) -> None:
    world.reset()
    for name in ("2.0.0.127.zen.spamhaus.org", "11.100.51.198.zen.spamhaus.org"):
        world.state.servers["192.0.2.251"][name, "A"] = ["127.255.255.254"]
    found = [o for o in _looked(world) if o.check.id == "blocklist-address" and "zen" in o.subject]
    assert {o.state for o in found} == {"unknown"}
    assert "resolver of your own" in found[0].evidence[0]


@pytest.mark.thorough
def test_a_world_that_is_dead_is_said_so_within_a_minute(world: LittleWorld) -> None:
    world.reset()
    world.state.silent = {"192.0.2.250", "192.0.2.251", "192.0.2.252"}
    world.state.closed = set(world.ports)
    begun = time.monotonic()
    with crowding() as crowd:
        failed = {o.check.id for o in _looked(world) if o.state == "failed"}
        seconds = time.monotonic() - begun
    assert seconds < 60 * crowd.factor
    assert {"smtp-answers", "clients-open", "web-answers", "caches-answer"} <= failed


_CHECK = next(check for check in CHECKS if check.id == "smtp-answers")


def _one(state: State, *evidence: str) -> Outcome:
    return Outcome(check=_CHECK, subject="192.0.2.11", state=state, evidence=evidence)


def _result(*outcomes: Outcome, differences: bool = False) -> output.Result:
    return output.Result(
        stack="prod",
        domain="example.org",
        namespace="kolab",
        outcomes=outcomes,
        seconds=1.0,
        shown=outcomes,
        differences=differences,
    )


def test_the_verdict_is_said_first_and_each_fault_with_its_reason_and_what_to_do() -> None:
    said = output.people(_result(_one("failed", "refused")), wide=False)
    assert said.startswith("example.org: 1 fault and no warnings")
    for part in ("refused", _CHECK.reason, "docs/how-to/mail-does-not-arrive.md"):
        assert part in said


def test_exit_codes_tell_faults_from_what_could_not_be_seen() -> None:
    assert [
        _result(_one("passed")).code,
        _result(_one("failed", "x")).code,
        _result(_one("unknown", "x")).code,
    ] == [0, 1, 3]


def test_junit_has_a_failure_for_each_fault_and_a_skip_for_what_was_not_seen() -> None:
    read = ET.fromstring(output.junit(_result(_one("failed", "refused"), _one("unknown", "silent"))))  # noqa: S314
    assert [each.get("message") for each in read.iter("failure")] == ["refused"]
    assert [each.get("message") for each in read.iter("skipped")] == ["silent"]


def test_a_second_run_tells_differences_alone(tmp_path: Path) -> None:
    file = memory.place("prod", tmp_path)
    memory.write(file, [_one("failed", "refused")], memory.read(file))
    last = memory.read(file)
    assert memory.changed([_one("failed", "refused")], last) == []
    assert [o.state for o in memory.changed([_one("passed")], last)] == ["passed"]


def test_what_was_not_seen_keeps_what_was_known(tmp_path: Path) -> None:
    file = memory.place("prod", tmp_path)
    memory.write(file, [_one("failed", "refused")], {})
    memory.write(file, [_one("unknown", "silent")], memory.read(file))
    assert memory.changed([_one("failed", "refused")], memory.read(file)) == []


def test_a_score_counts_checks_that_pass_of_those_that_were_answered() -> None:
    (score,) = scores([_one("passed"), _one("failed", "x")])
    assert (score.passed, score.answered, score.percent) == (0, 1, 0)
    assert scores([_one("unknown", "x")]) == []


def test_a_part_that_does_not_exist_is_refused_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--stack", "cluster", "--only", "weather"]) == 1
    assert "weather" in (said := capsys.readouterr().err)
    assert "dkim" in said


def test_an_authority_that_is_no_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--stack", "cluster", "--authority", "/nowhere.pem"]) == 1
    assert "--authority" in capsys.readouterr().err


def test_quiet_alone_is_refused_since_there_is_always_something_to_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--stack", "cluster", "--quiet"]) == 1
    assert "--quiet goes with --changed" in capsys.readouterr().err


def test_every_fix_is_filled_in() -> None:
    for check in CHECKS:
        told = output.fix(check, "subject", _result())
        assert "{" not in told, told


@pytest.mark.thorough
def test_a_registry_that_does_not_tell_the_end_of_a_domain_is_no_reason_to_worry(world: LittleWorld) -> None:
    world.reset()
    world.state.ends.clear()
    found = examine(Visit(world.settings, world.edge), [c for c in CHECKS if c.id == "domain-expiry"])
    assert {outcome.state for outcome in found} == {"passed"}


@pytest.mark.thorough
def test_the_command_ends_with_its_code_and_tells_the_second_time_what_is_new(
    world: LittleWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.reset()
    monkeypatch.setattr(Edge, "of_this_machine", lambda *_: world.edge)
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    asked = [
        "doctor",
        "--stack",
        "cluster",
        "--only",
        "spf",
        "--changed",
        "--junit",
        str(tmp_path / "report.xml"),
    ]
    assert main(asked) == 0
    assert "healthy" in capsys.readouterr().out
    next(each for each in FAULTS if each.check == "spf-single").make(world)
    assert main(asked) == 1
    assert "spf-single" in capsys.readouterr().out
    assert "spf-single" in (tmp_path / "report.xml").read_text()
    assert main(asked) == 1
    assert "no difference" in (said := capsys.readouterr().out)
    assert "spf-single" not in said
    assert main([*asked, "--quiet"]) == 1
    assert capsys.readouterr().out == ""
    world.reset()
    assert main([*asked, "--quiet"]) == 0
    assert "Good again" in capsys.readouterr().out


@pytest.mark.thorough
def test_a_stack_on_hold_is_not_asked_for_what_it_does_not_publish_yet(world: LittleWorld) -> None:
    world.reset(_on_hold)
    looked = _looked(world)
    assert [(o.key, o.evidence) for o in looked if o.state != "passed"] == []
    assert not {"mx-ours", "mta-sts-reached", "autoconfig-answers"} & {o.check.id for o in looked}


def _on_hold(values: dict[str, Any]) -> None:
    values["mail"]["mx"] = {"stage": "hold"}
    values["mail"]["mtaSts"] = {"stage": "none"}
