"""The faults that the doctor is asked to find on the real stack: each of the table is made there, or has a reason why not."""

from __future__ import annotations

import pytest

from model import identity
from tests.acceptance.faulty import ELSEWHERE, ON_THE_LAB, edited, way_of
from tests.support.faults import FAULTS
from tests.support.stacks import stack

_LEAST = 60


def test_each_fault_comes_about_on_the_lab_or_has_its_reason() -> None:
    assert set(ELSEWHERE) <= {fault.name for fault in FAULTS}
    for fault in ON_THE_LAB:
        way_of(fault)  # KeyError where it does not
    assert [fault.name for fault in FAULTS if fault not in ON_THE_LAB] == [
        fault.name for fault in FAULTS if fault.name in ELSEWHERE
    ]


def test_sixty_faults_and_more_are_found_on_the_real_stack() -> None:
    assert len(ON_THE_LAB) >= _LEAST


def test_what_does_not_come_about_there_cannot_be_asked_for() -> None:
    for fault in FAULTS:
        if fault.name in ELSEWHERE:
            with pytest.raises(KeyError):
                way_of(fault)


_ZONE = "$TTL 60\nexample.org. 3600 IN MX 10 mx.example.org.\nmx.example.org. 3600 IN A 192.0.2.11\nmx.example.org. 3600 IN MX 0 .\n"
_RECORDS = tuple(
    record
    for record in identity.records(stack("cluster"))
    if (record.name, record.type)
    in {("example.org", "MX"), ("mx.example.org", "A"), ("mx.example.org", "MX")}
)


def test_a_record_that_is_changed_leaves_all_others_of_its_zone_as_they_were() -> None:
    found = edited(
        {"example.org": _ZONE, "example.net": "x\n"}, _RECORDS, lambda zone: zone.pop(("example.org", "MX"))
    )
    assert found == {"example.org": _ZONE.replace("example.org. 3600 IN MX 10 mx.example.org.\n", "", 1)}


def test_a_record_that_is_added_stands_in_its_own_zone() -> None:
    more = {("_x.example.net", "TXT"): ['"y"']}
    found = edited(
        {"example.org": _ZONE, "example.net": "$TTL 60\n"}, _RECORDS, lambda zone: zone.update(more)
    )
    assert found == {"example.net": '$TTL 60\n_x.example.net. 60 IN TXT "y"\n'}
