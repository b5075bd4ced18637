"""A part of what mail relies on is never changed alone."""

from __future__ import annotations

import pytest

from model.transition import snapshot
from ops.deploy import _narrowed, _refuse_parts
from ops.stacks import StackProblem
from tests.identity.stacks import stack

_LATER = stack(network__announcedEgress=["198.51.100.3", "2001:db8:1::3", "198.51.100.14"])


def test_a_narrowed_update_of_another_model_is_refused_before_the_engine_sees_it() -> None:
    with pytest.raises(StackProblem, match=r"nothing was changed: .* leave --target and --exclude out"):
        _refuse_parts(_LATER, [snapshot(stack())])


def test_a_narrowed_update_of_the_model_that_is_deployed_goes_on() -> None:
    _refuse_parts(stack(), [snapshot(stack())])


@pytest.mark.parametrize("given", [["--target", "x"], ["--target=x"], ["-t", "x"], ["--exclude", "x"]])
def test_what_narrows_an_update_is_noticed(given: list[str]) -> None:
    assert _narrowed(given)
    assert not _narrowed(["--parallel", "4", "--target-dependents"])
