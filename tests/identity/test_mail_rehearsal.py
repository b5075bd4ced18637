"""The receiver's view: what is published is what a strict receiver accepts, now and between two deployments."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as examples

from model.rehearsal import CachedWorld, cached_world, rehearse
from model.settings import Settings
from model.topology import egress_addresses
from model.transition import snapshot
from tests.identity.stacks import findings, selectors, stack
from tests.identity.strategies import settings


def between(before: Settings, after: Settings) -> CachedWorld:
    """The cached world of a change."""
    return cached_world(snapshot(before), after)


def test_every_egress_address_is_accepted_for_every_domain() -> None:
    found = rehearse(stack())
    assert len(found.outbound) == 3 * 3
    assert all(verdict.accepted for verdict in found.outbound), found.text()


def test_the_verdict_is_the_header_that_a_receiver_writes() -> None:
    assert rehearse(stack()).outbound[0].header() == (
        "Authentication-Results: receiver.example; iprev=pass policy.iprev=198.51.100.3; "
        "spf=pass smtp.helo=mail.example.org; spf=pass smtp.mailfrom=example.org; "
        "dkim=pass header.d=example.org header.s=k1; dmarc=pass (p=quarantine) header.from=example.org"
    )


def test_inbound_policies_hold_for_every_domain() -> None:
    for verdict in rehearse(stack()).inbound:
        assert (verdict.mta_sts, verdict.dane, verdict.tls_rpt) == ("pass (enforce)", "pass", True)


def test_on_hold_no_mail_is_ours_yet() -> None:
    found = rehearse(stack(mail__mx={"stage": "hold"}))
    assert {verdict.mx for verdict in found.inbound} == {"is not ours yet"}
    assert all(verdict.accepted for verdict in found.outbound)


def test_without_an_active_key_no_verdict_is_good() -> None:
    found = rehearse(stack(mail__dkim__selectors=selectors(a="published")))
    assert not any(verdict.accepted for verdict in found.outbound)
    assert {verdict.dkim for verdict in found.outbound} == {"none"}


def test_a_relay_is_judged_by_what_its_mail_still_shows() -> None:
    relay = {"mode": "relay", "host": "relay.example", "spfInclude": "spf.relay.example"}
    found = rehearse(stack(network__egress=relay))
    assert {verdict.address for verdict in found.outbound} == {"relay"}
    assert all(verdict.accepted for verdict in found.outbound)


def test_a_self_signed_mx_fails_under_mta_sts() -> None:
    found = rehearse(stack(tls={"issuer": "selfSigned"}))
    assert {verdict.mta_sts for verdict in found.inbound} == {"fail (enforce)"}


def test_the_report_of_many_domains_stays_readable() -> None:
    text = rehearse(stack(hostedDomains=[f"d{n}.example" for n in range(500)])).text()
    assert len(text.splitlines()) < 50
    assert "more" in text


@examples(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(settings(sound=True))
def test_a_stack_without_findings_that_signs_is_accepted_by_strict_receivers(generated: Settings) -> None:
    assume(not any(f.severity == "error" for f in findings(generated)))
    active = any(key.stage == "active" for key in generated.mail.dkim.selectors.values())
    assume(active and egress_addresses(generated))
    found = rehearse(generated)
    assert all(verdict.accepted for verdict in found.outbound), found.text()


def test_no_change_bounces_nothing() -> None:
    found = between(stack(), stack())
    assert {pair.outcome for pair in found.pairs} == {"delivered"}
    assert len(found.pairs) == 4
    assert found.findings == ()
    assert found.plan() == ""


def test_a_key_that_signs_before_it_was_published_bounces_and_the_plan_publishes_it_first() -> None:
    before = stack(mail__dkim__selectors=selectors(a="active"))
    after = stack(mail__dkim__selectors=selectors(a="retired", b="active"))
    found = between(before, after)
    worst = {(p.dns, p.services): p.outcome for p in found.pairs}
    assert worst == {
        ("old", "old"): "delivered",
        ("old", "new"): "bounced",
        ("new", "old"): "delivered",
        ("new", "new"): "delivered",
    }
    assert [f.path for f in found.findings] == ["kolab:mail.dkim.selectors.b"]
    assert "publish a new key before it signs" in found.plan()
    assert "2. Wait 3600 seconds" in found.plan()


def test_the_two_step_plan_for_a_key_is_safe() -> None:
    path = [
        selectors(a="active"),
        selectors(a="active", b="published"),
        selectors(a="retired", b="active"),
        selectors(a="revoked", b="active"),
    ]
    stacks = [stack(mail__dkim__selectors=keys) for keys in path]
    for before, after in itertools.pairwise(stacks):
        assert between(before, after).findings == ()


def test_a_new_source_address_bounces_unless_it_was_announced() -> None:
    after = stack(network__egress={"mode": "gateway", "addresses": ["198.51.100.14"]})
    found = between(stack(), after)
    assert {f.path for f in found.findings} == {"kolab:network.egress"}
    assert {(p.dns, p.services): p.outcome for p in found.pairs}["old", "new"] == "bounced"
    first = stack(network__announcedEgress="198.51.100.14")
    assert between(stack(), first).findings == ()
    # The old addresses stay announced until the pods have moved and the caches have followed.
    second = stack(
        network__egress={"mode": "gateway", "addresses": ["198.51.100.14"]},
        network__announcedEgress=list(egress_addresses(stack())),
    )
    assert between(first, second).findings == ()
    third = stack(network__egress={"mode": "gateway", "addresses": ["198.51.100.14"]})
    assert between(second, third).findings == ()


def test_a_public_address_that_moves_delays_mail_but_bounces_none() -> None:
    found = between(stack(), stack(network__public={"10.0.0.11": "192.0.2.99"}))
    assert {pair.outcome for pair in found.pairs} == {"delivered", "delayed"}
    assert found.findings == ()


@pytest.mark.parametrize("stage", ["enforce", "testing"])
def test_an_mx_name_changes_under_testing_only(stage: str) -> None:
    before = stack(mail__mtaSts={"stage": stage}, tlsa=None)
    after = stack(mail__mtaSts={"stage": stage}, tlsa=None, hosts={"mx": "mx2.example.org"})
    assert bool(between(before, after).findings) == (stage == "enforce")


def test_a_port_25_key_must_be_published_before_and_stay_published_after() -> None:
    a, b = "a" * 64, "b" * 64
    announced = stack(tlsa={"current": a, "next": b})
    assert between(announced, stack(tlsa={"current": b, "next": a})).findings == ()
    assert between(announced, stack(tlsa={"current": b})).findings != ()
    assert between(stack(tlsa={"current": a}), stack(tlsa={"current": b, "next": a})).findings != ()


def test_going_live_bounces_nothing_and_going_back_does() -> None:
    held = stack(mail__mx={"stage": "hold"})
    assert between(held, stack()).findings == ()
    assert [f.path for f in between(stack(), held).findings] == ["kolab:mail.mx.stage"]


def test_a_self_signed_certificate_under_an_enforced_policy_bounces() -> None:
    after = stack(tls={"issuer": "selfSigned"}, mail__mtaSts={"stage": "testing"})
    assert "kolab:tls" in {f.path for f in between(stack(), after).findings}


def test_an_accepted_risk_is_not_refused_again() -> None:
    accepted = [
        {"rule": "cached-world", "subject": "kolab:network.egress", "reason": "only two test accounts yet"}
    ]
    after = stack(network__egress={"mode": "gateway", "addresses": ["198.51.100.14"]}, acknowledge=accepted)
    assert between(stack(), after).findings == ()


def test_a_first_deployment_has_no_cached_world() -> None:
    assert cached_world(None, stack()) == CachedWorld((), 0)
