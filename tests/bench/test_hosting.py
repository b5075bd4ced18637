"""A thousand customers cost what a thousand customers cost, whatever each has of its own."""

from __future__ import annotations

import pytest

from tests.bench import clock
from tests.bench.hosting import hosting, model_and_zones


@pytest.mark.thorough
def test_a_thousand_domains_with_overrides_cost_no_more_than_twice_those_without() -> None:
    own, none = hosting(1000, own=True), hosting(1000)
    with_them, without = clock.in_turn([model_and_zones(own), model_and_zones(none)], 3)
    assert with_them.processor <= 2 * without.processor


def test_what_grows_with_the_domains_grows_no_faster_than_they_do() -> None:
    many, few = clock.in_turn(
        [model_and_zones(hosting(160, own=True)), model_and_zones(hosting(20, own=True))], 1
    )
    # Eight times as many: what looks at every pair would take sixty-four times as long.
    assert many.processor <= 24 * max(few.processor, 0.01)


def test_overrides_are_in_the_zones_that_are_measured() -> None:
    assert model_and_zones(hosting(8, own=True))() != model_and_zones(hosting(8))()
