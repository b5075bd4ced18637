"""The step after a stage, and its first safe day: no day that is named is one that the judges of changes refuse."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from model.deployed import CachedPolicy, Deployed, DkimKey, MtaSts
from model.identity import life_cycles, next_steps
from model.identity.snapshot import snapshot
from tests.support.stacks import stack

BEGAN = datetime.date(2026, 11, 20)
SINCE = str(BEGAN)


def with_key(stage: str, since: str = SINCE) -> Deployed:
    """The cluster with a key k1 at one stage of its life."""
    key = DkimKey(stage=stage, since=since, public_key="A")
    return snapshot(stack("cluster")).model_copy(update={"dkim": {"k1": key}})


def with_policy(stage: str, **fields: Any) -> Deployed:
    policy = MtaSts(stage=stage, max_age=604800, **{"since": SINCE} | fields)
    return snapshot(stack("cluster")).model_copy(update={"mta_sts": policy})


@pytest.mark.parametrize(
    ("stage", "becomes"), [("published", "active"), ("retired", "revoked"), ("revoked", None)]
)
def test_the_judge_of_keys_agrees_with_the_day_that_is_named(stage: str, becomes: str | None) -> None:
    before = with_key(stage)
    following = next_steps.of_key(before, "k1")
    assert following is not None
    assert following.day is not None
    now = with_key(becomes, str(following.day)) if becomes else before.model_copy(update={"dkim": {}})
    assert not list(life_cycles.dkim(before, now, following.day))


def test_the_day_of_a_retired_key_is_the_first_that_the_judge_allows() -> None:
    before = with_key("retired")
    following = next_steps.of_key(before, "k1")
    assert following is not None
    assert following.day is not None
    eve = following.day - datetime.timedelta(days=1)
    assert list(life_cycles.dkim(before, with_key("revoked", str(eve)), eve))


@pytest.mark.parametrize(
    "cached",
    [
        (),
        (CachedPolicy(hosts=("a.example",), max_age=31_536_000, ended="2026-11-19"),),
        (CachedPolicy(hosts=("a.example",), max_age=60, ended="2026-11-19"),),
    ],
    ids=["nothing else", "a longer policy of before", "a shorter one"],
)
def test_a_policy_that_is_removed_names_the_first_day_that_its_judge_allows(
    cached: tuple[CachedPolicy, ...],
) -> None:
    before = with_policy("removing", cached=cached)
    following = next_steps.of_policy(before)
    assert following is not None
    assert following.day is not None
    for day, refused in ((following.day, False), (following.day - datetime.timedelta(days=1), True)):
        now = with_policy("none", since=str(day), cached=())
        assert bool(list(life_cycles.mta_sts(before, now, day))) == refused


def test_a_policy_whose_end_nobody_wrote_down_waits_from_the_update() -> None:
    cached = (CachedPolicy(hosts=("a.example",), max_age=31_536_000),)
    following = next_steps.of_policy(with_policy("removing", since=None, cached=cached))
    assert following is not None
    assert following.words() == "next: none, not before 366 days after the update"


def test_a_day_that_has_come_is_from_today_on() -> None:
    following = next_steps.of_key(with_key("retired"), "k1")
    assert following is not None
    assert following.words(BEGAN + datetime.timedelta(days=11)).endswith(", from today on")
    assert following.words(BEGAN + datetime.timedelta(days=10)).endswith(", not before 2026-12-01")


def test_a_key_that_signs_and_a_policy_that_is_enforced_wait_for_nothing() -> None:
    assert next_steps.of_key(with_key("active"), "k1") is None
    assert next_steps.of_policy(with_policy("enforce")) is None


def test_the_policy_of_a_domain_of_its_own_has_a_day_of_its_own() -> None:
    own = MtaSts(stage="removing", since="2026-11-25", max_age=86400)
    model = with_policy("none").model_copy(update={"policies": {"example.net": own}})
    following = next_steps.of_policy(model, "example.net")
    assert following is not None
    assert following.day == datetime.date(2026, 11, 27)
