"""Any stack file is either refused with findings that lead to its keys, or gives a topology that agrees with itself."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.findings import Finding
from model.settings import Settings
from model.stack_file import StackFileError, load
from tests.model import invariants, strategies
from tests.model.files import Raw
from tests.model.strategies import mangled, stack_files

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


Outcome = StackFileError | tuple[Settings, tuple[Finding, ...]]


def outcome(values: Raw) -> Outcome:
    """What the loader makes of a file."""
    try:
        return load(values, need_secrets=False)
    except StackFileError as error:
        return error


def no_crash(found: Outcome) -> None:
    """What is promised about every file, right or wrong."""
    if not isinstance(found, StackFileError):
        stack, warnings = found
        assert {finding.severity for finding in warnings} <= {"warning"}
        invariants.hold(stack)
        return
    assert "error" in {finding.severity for finding in found.findings}
    assert "pydantic" not in str(found)
    for finding in found.findings:
        assert re.match(r"kolab:.", finding.path), finding
        assert finding.fix, finding
        assert finding.problem, finding


@examples(max_examples=120, suppress_health_check=SLOW)
@given(stack_files())
def test_a_file_that_is_right_in_form_is_refused_with_reasons_or_holds_together(values: Raw) -> None:
    no_crash(outcome(values))


@examples(max_examples=120, suppress_health_check=SLOW)
@given(mangled())
def test_a_spoilt_file_is_refused_with_reasons_or_holds_together(values: Raw) -> None:
    no_crash(outcome(values))


@examples(max_examples=60, suppress_health_check=SLOW)
@given(st.data())
def test_what_the_schema_allows_is_right_in_form(data: st.DataObject) -> None:
    path, wanted = data.draw(st.sampled_from(strategies.places()))
    values = strategies.raw("cluster")
    strategies.put(values, path, data.draw(strategies.value(wanted)))
    found = outcome(values)
    assert not isinstance(found, StackFileError) or "unknown-key" not in {f.rule for f in found.findings}
