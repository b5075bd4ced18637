"""What can go wrong goes wrong on the real stack, one thing at a time: its check says so, and no other part is accused.

The faults and their checks are those of the little world (tests/support/faults.py); how they come about here, and which cannot,
stands in faulty.py.
"""

from __future__ import annotations

import pytest

from ops.doctor.checks import CHECKS
from tests.acceptance.doctoring import Doctor, Looked
from tests.acceptance.faulty import ON_THE_LAB, Real, way_of
from tests.acceptance.pace import crowding
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack
from tests.lab.cluster import Lab
from tests.support.faults import FAULTS, Fault

pytestmark = [
    # A look of seconds for each of a hundred and ten faults: too long for what runs before every change.
    pytest.mark.long,
    pytest.mark.mode("cluster"),
    pytest.mark.proves("proxy", "postfix", "imap", "webapp", "coturn"),
]

_LOOKS = 3
"""Daemons that have read another configuration finish what they have begun with the old one."""
_SECONDS_DEAD = 60


@pytest.fixture(scope="module")
def real(stack: Stack, own_lab: Lab) -> Real:
    """Where faults are made."""
    return Real(stack)


@pytest.mark.parametrize("fault", ON_THE_LAB, ids=lambda fault: fault.name)
def test_a_fault_is_noticed_by_its_check_and_no_other_part_is_accused(
    real: Real, doctor: Doctor, healthy: Looked, fault: Fault
) -> None:
    concern = next(check.concern for check in CHECKS if check.id == fault.check)
    with way_of(fault)(real):
        for _ in range(_LOOKS):
            found = doctor.look()
            if fault.check in found.of("failed") and found.accuses(healthy) == {concern}:
                break
    assert fault.check in found.of("failed"), found.wrong
    assert found.accuses(healthy) == {concern}, found.wrong


def test_after_all_of_that_nothing_is_wrong_any_more(doctor: Doctor, healthy: Looked, report: Report) -> None:
    assert doctor.look().wrong == healthy.wrong
    report.note("faults of the real stack that the doctor was asked to find (number)", len(ON_THE_LAB))


def test_a_second_look_tells_what_has_changed_and_nothing_else(
    real: Real, doctor: Doctor, healthy: Looked
) -> None:
    doctor.look()
    fault = next(each for each in FAULTS if each.name == "a domain has no MX")
    with way_of(fault)(real):
        new = doctor.look("--changed").outcomes
        assert {each["concern"] for each in new} == {"mx"}
        assert {each["state"] for each in new} == {"failed"}
        assert doctor.look("--changed").outcomes == []
    good = doctor.look("--changed").outcomes
    assert {(each["id"], each["state"]) for each in good} == {(each["id"], "passed") for each in new}


def test_a_world_that_is_dead_is_said_so_within_a_minute(real: Real, doctor: Doctor, report: Report) -> None:
    """No packet gets anywhere and none is refused: every question waits for its end."""
    with real.rules("chain out { type filter hook output priority 0; drop; }"), crowding() as crowd:
        found = doctor.look()
    report.note("the doctor's look at a dead world", found.seconds)
    assert found.seconds <= _SECONDS_DEAD * crowd.factor
    assert {"smtp-answers", "clients-open", "web-answers", "caches-answer"} <= found.of("failed")
