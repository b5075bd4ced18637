"""The verdict on a step: the rules about changes and the cached world speak with one voice."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from model.deployed import Deployed
from model.settings import Settings
from model.step import Step, judge
from model.transition import snapshot
from tests.identity.stacks import selectors, stack
from tests.identity.strategies import settings

_ELSEWHERE = {"network__egress": {"mode": "gateway", "addresses": ["198.51.100.14"]}}


def verdict(before: Settings, after: Settings) -> Step:
    return judge(snapshot(before), after)


def rules(step: Step) -> set[str]:
    return {finding.rule for finding in step.findings}


def through_engine(value: Any) -> Any:
    """As stack outputs come back: no nulls, all numbers fractions."""
    if isinstance(value, dict):
        return {key: through_engine(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [through_engine(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_a_deployed_model_survives_the_engine() -> None:
    for each in (stack(), stack(tlsa=None, mail__mtaSts={"stage": "none"})):
        back = Deployed.read(through_engine(snapshot(each).exported()))
        assert back == snapshot(each)
        assert judge(back, each) == Step((), "")


def test_a_first_deployment_is_free() -> None:
    assert judge(Deployed.read({}), stack()) == Step((), "")


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(settings())
def test_any_step_is_judged_alike_before_and_after_it_went_through_the_engine(generated: Settings) -> None:
    exported = snapshot(generated)
    assert judge(Deployed.read(through_engine(exported.exported())), stack()) == judge(exported, stack())


def test_what_a_rule_says_is_not_said_again() -> None:
    assert "egress-unannounced" in rules(verdict(stack(), stack(**_ELSEWHERE)))
    assert "cached-world" not in rules(verdict(stack(), stack(**_ELSEWHERE)))


def test_a_refusal_comes_with_the_plan_that_is_safe() -> None:
    text = verdict(stack(), stack(**_ELSEWHERE)).text()
    assert "Safe in two steps:\n1. First, on its own:" in text
    assert "2. Wait 3600 seconds" in text


def test_what_no_rule_foresaw_is_refused_by_the_cached_world() -> None:
    after = stack(tls={"issuer": "selfSigned"}, mail__mtaSts={"stage": "testing"})
    found = verdict(stack(), after)
    assert rules(found) == {"cached-world"}
    assert found.refused


def test_an_acknowledged_rule_covers_what_the_cached_world_says_of_it() -> None:
    accepted = [{"rule": "dkim-stage-skipped", "reason": "the key has leaked"}]
    before = stack(mail__dkim__selectors=selectors(k="active", n="published"))
    after = stack(mail__dkim__selectors=selectors(k="revoked", n="active"), acknowledge=accepted)
    assert verdict(before, after) == Step((), "")


def test_a_moved_mx_that_its_owners_know_of_still_has_to_fit_the_policy() -> None:
    before = stack(mail__mtaSts={"stage": "testing"}, tlsa=None)
    moved = {"hosts": {"mx": "mx2.example.org"}, "tlsa": None}
    accepted = [{"rule": "mx-moved", "reason": "all owners of foreign domains know"}]
    assert verdict(before, stack(**moved, mail__mtaSts={"stage": "testing"}, acknowledge=accepted)) == Step(
        (), ""
    )
    assert rules(verdict(before, stack(**moved, acknowledge=accepted))) == {"cached-world"}


def test_a_warning_alone_comes_without_a_plan() -> None:
    found = verdict(stack(), stack(tlsa=None))
    assert rules(found) == {"tlsa-removed"}
    assert (found.refused, found.plan) == (False, "")
