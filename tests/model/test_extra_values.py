"""Values that can do no harm: of one type, and within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.extra.cyrus import CYRUS
from model.extra.nginx import NGINX
from model.extra.postfix import POSTFIX
from model.extra.roundcube import ROUNDCUBE
from model.extra.spamassassin import SPAMASSASSIN
from model.extra.values import Number, Time, Value, takes

TYPED = [
    (kind, kinds)
    for language in (CYRUS, NGINX, POSTFIX, ROUNDCUBE, SPAMASSASSIN)
    for kinds in language.harmless.values()
    for kind in (kinds if isinstance(kinds, tuple) else (kinds,))
    if not isinstance(kind, str)
]
NUMBERS = [(kind, kinds) for kind, kinds in TYPED if isinstance(kind, Number)]
TIMES = [kind for kind, _ in TYPED if isinstance(kind, Time)]


@given(st.sampled_from(NUMBERS), st.integers(-(10**12), 10**12))
def test_a_number_is_harmless_within_its_bounds_alone(
    row: tuple[Number, Value | tuple[Value, ...]], number: int
) -> None:
    kind, _ = row
    assert kind.takes(str(number)) == (kind.least <= number <= kind.most)


@pytest.mark.parametrize("kind", [kind for kind, _ in NUMBERS], ids=str)
def test_both_ends_of_a_number_are_harmless_and_what_lies_beyond_is_not(kind: Number) -> None:
    assert [kind.takes(str(each)) for each in (kind.least - 1, kind.least, kind.most, kind.most + 1)] == [
        False, True, True, False,
    ]  # fmt: skip


@given(
    st.sampled_from(NUMBERS),
    st.integers(0, 10**6).flatmap(lambda n: st.sampled_from([f"{n}s", f"{n}m", f"{n}d", f"0{n}", f"+{n}", f"{n}.0", f"{n} ", f"{n:x}x"])),
)  # fmt: skip
def test_a_number_with_anything_beside_it_is_no_number(
    row: tuple[Number, Value | tuple[Value, ...]], text: str
) -> None:
    assert not row[0].takes(text)


@pytest.mark.parametrize("kind", TIMES, ids=str)
@pytest.mark.parametrize(
    "text", ["yes", "", "-1s", "1.5h", "5 m", "5M", "5ms", "9999999w", "999999999d", "1" * 30, "s"]
)
def test_what_is_no_time_or_would_overflow_is_never_harmless(kind: Time, text: str) -> None:
    assert not kind.takes(text)


@given(st.integers(0, 10**9), st.sampled_from("smhdw"))
def test_a_time_is_as_long_as_its_unit_says(number: int, unit: str) -> None:
    seconds = number * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    assert Time("10m", "3d").takes(f"{number}{unit}") == (600 <= seconds <= 259200)


@given(st.integers(0, 10**6), st.sampled_from("smhdw"))
def test_a_time_without_a_unit_has_the_one_that_its_daemon_takes(number: int, unit: str) -> None:
    kind = Time("10m", "3d", bare=unit)
    assert kind.takes(str(number)) == kind.takes(f"{number}{unit}")


def test_a_time_in_a_unit_that_its_daemon_does_not_know_is_not_harmless() -> None:
    kind = Time("1d", "30d", units="smhd")
    assert [kind.takes(each) for each in ("7d", "168h", "1w")] == [True, True, False]


def test_one_of_several_kinds_is_enough() -> None:
    kinds = ("0", Number(998, 2000))
    assert [takes(kinds, each) for each in ("0", "1", "997", "998")] == [True, False, False, True]
