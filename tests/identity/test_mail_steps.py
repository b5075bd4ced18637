"""The verdict on a step: the rules about changes and the cached world speak with one voice."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.deployed import Deployed
from model.identity.cached_world import cached_world
from model.settings import Settings
from model.step import Step, judge
from model.topology import egress_addresses
from model.transition import snapshot, transition
from tests.identity.stacks import raw, selectors, stack
from tests.identity.strategies import settings

_ELSEWHERE = {"network__egress": {"mode": "gateway", "addresses": ["198.51.100.14"]}}
_STACKS = st.fixed_dictionaries(
    {
        "mail__mx": st.sampled_from(({"stage": "live"}, {"stage": "hold"})),
        "mail__mtaSts": st.sampled_from(({"stage": "enforce"}, {"stage": "testing"}, {"stage": "none"})),
        "hosts": st.sampled_from(({}, {"mx": "mx2.example.org"}, {"helo": "out.example.org"})),
        "tls": st.sampled_from(({"issuer": "acme", "email": "a@example.org"}, {"issuer": "selfSigned"})),
        "tlsa": st.sampled_from(
            ({"current": "a" * 64, "next": "b" * 64}, {"current": "b" * 64, "next": "a" * 64}, None)
        ),
        "network__egress": st.sampled_from((raw()["network"]["egress"], _ELSEWHERE["network__egress"])),
        "network__announcedEgress": st.sampled_from(
            ([], ["198.51.100.14"], ["198.51.100.3", "2001:db8:1::3", "198.51.100.9"])
        ),
        "mail__dkim__selectors": st.sampled_from(
            (selectors(k="active", n="published"), selectors(k="retired", n="active"), selectors(n="active"))
        ),
    }
).map(lambda changes: stack(**changes))
"""Stacks that differ in what caches hold."""


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


def test_a_self_signed_certificate_under_a_policy_that_senders_hold_is_refused_by_a_rule() -> None:
    signed = {"tls": {"issuer": "selfSigned"}, "mail__mtaSts": {"stage": "testing"}}
    found = verdict(stack(), stack(**signed))
    assert rules(found) == {"mta-sts-self-signed"}
    assert found.refused
    assert rules(verdict(stack(**signed), stack())) == {"mta-sts-self-signed"}


def test_a_self_signed_certificate_waits_until_an_earlier_policy_is_forgotten() -> None:
    loosened = {"stage": "testing", "since": "2026-06-01", "maxAge": 604800}
    held = snapshot(stack(mail__mtaSts=loosened), snapshot(stack()))
    assert held.mta_sts.cached
    after = stack(mail__mtaSts=loosened, tls={"issuer": "selfSigned"})
    (refusal,) = [f for f in judge(held, after).findings if f.severity == "error"]
    assert refusal.rule == "mta-sts-self-signed-held"
    assert "until 2026-06-" in refusal.fix


def test_a_certificate_that_can_be_verified_is_welcome_while_a_policy_is_remembered() -> None:
    loosened = {"stage": "testing", "since": "2026-06-01", "maxAge": 604800}
    bad = stack(mail__mtaSts=loosened, tls={"issuer": "selfSigned"})
    assert not judge(snapshot(bad, snapshot(stack())), stack(mail__mtaSts=loosened)).refused


def test_an_mx_host_waits_until_an_earlier_policy_is_forgotten() -> None:
    loosened = {"stage": "testing", "since": "2026-06-01", "maxAge": 604800}
    held = snapshot(stack(mail__mtaSts=loosened, tlsa=None), snapshot(stack(tlsa=None)))
    after = stack(mail__mtaSts=loosened, tlsa=None, hosts={"mx": "mx2.example.org"})
    assert rules(judge(held, after)) == {"mx-moved", "mta-sts-mx-held"}


def test_a_helo_name_changes_neither_with_addresses_that_were_announced_under_the_old_one() -> None:
    before = stack(network__announcedEgress="198.51.100.14")
    elsewhere = stack(
        **_ELSEWHERE,
        network__announcedEgress=list(egress_addresses(stack())),
        hosts={"helo": "out.example.org"},
    )
    assert rules(verdict(before, elsewhere)) == {"helo-moved"}


@examples(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STACKS, _STACKS, _STACKS)
def test_whatever_bounces_in_the_cached_world_is_refused_by_a_rule(
    first: Settings, before: Settings, after: Settings
) -> None:
    deployed = snapshot(before, snapshot(first))
    refused = [finding for finding in transition(deployed, after) if finding.severity == "error"]
    # mx-moved is about what owners of foreign domains do, and no verdict on our mail.
    named = [finding.path for finding in refused if finding.rule != "mx-moved"]
    for bounced in cached_world(deployed, after).findings if before != after else ():
        assert any(path == bounced.path or path.startswith(f"{bounced.path}.") for path in named), bounced


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
    assert rules(verdict(before, stack(**moved, acknowledge=accepted))) == {"mta-sts-mx-together"}


def test_a_warning_alone_comes_without_a_plan() -> None:
    found = verdict(stack(), stack(tlsa=None))
    assert rules(found) == {"tlsa-removed"}
    assert (found.refused, found.plan) == (False, "")
