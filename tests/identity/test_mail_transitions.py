"""A change is judged against what the world has cached: every step that is safe passes, every shortcut is refused."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.deployed import Deployed
from model.rehearsal import cached_world
from model.settings import Settings
from model.step import judge
from model.transition import snapshot, transition
from tests.identity.stacks import selectors, stack
from tests.identity.strategies import settings
from tests.model.files import places, raw
from tests.model.files import refused as refused_file


def step(before: Settings, after: Settings, today: date | None = None) -> set[str]:
    """Ids of the rules that refuse the step; the snapshot travels as JSON, as a stack output does."""
    return {
        f.rule
        for f in transition(Deployed.read(json.loads(json.dumps(snapshot(before).exported()))), after, today)
    }


def keys(**stages: str) -> Settings:
    """The full stack with these selectors."""
    return stack(mail__dkim__selectors=selectors(**stages))


def sts(stage: str, since: str | None = None, age: int = 604800, **changes: Any) -> Settings:
    """The full stack with this MTA-STS stage."""
    return stack(mail__mtaSts={"stage": stage, "since": since, "maxAge": age}, **changes)


@examples(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(settings())
def test_no_change_is_no_finding(generated: Settings) -> None:
    assert step(generated, generated) == set()


def test_a_first_deployment_has_nothing_to_compare_with() -> None:
    assert transition(None, stack()) == []


ROTATION = [
    {"old": "active 2026-01-01"},
    {"old": "active 2026-01-01", "new": "staged 2026-06-01"},
    {"old": "active 2026-01-01", "new": "published 2026-06-01"},
    {"old": "retired 2026-06-08", "new": "active 2026-06-08"},
    {"old": "revoked 2026-06-19", "new": "active 2026-06-08"},
    {"new": "active 2026-06-08"},
]


@pytest.mark.parametrize("at", range(len(ROTATION) - 1))
def test_a_full_dkim_rotation_passes_step_by_step(at: int) -> None:
    assert step(keys(**ROTATION[at]), keys(**ROTATION[at + 1])) == set()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("staged", "active"),
        ("staged", "retired"),
        ("published", "retired"),
        ("published", "revoked"),
        ("active", "revoked"),
        ("active", "published"),
        ("active", "staged"),
        ("active", None),
        ("retired", None),
        ("retired", "published"),
        ("revoked", "active"),
        ("revoked", "published"),
        (None, "active"),
        (None, "retired"),
    ],
)
def test_a_skipped_dkim_stage_is_refused(before: str | None, after: str | None) -> None:
    was = keys(**({"k": before} if before else {}))
    becomes = keys(**({"k": after} if after else {}))
    assert "dkim-stage-skipped" in step(was, becomes)


@pytest.mark.parametrize(
    ("after", "today", "refused"),
    [
        ("revoked 2026-06-10", None, True),
        ("revoked 2026-06-11", None, True),
        ("revoked 2026-06-12", None, False),
        ("revoked 2026-06-12", date(2026, 6, 11), True),
        ("revoked 2026-06-12", date(2026, 6, 12), False),
    ],
)
def test_a_retired_key_stays_for_eleven_days(after: str, today: date | None, refused: bool) -> None:
    found = step(keys(k="retired 2026-06-01"), keys(k=after), today)
    assert ("dkim-retired-early" in found) == refused


def test_a_key_never_changes_under_its_selector_once_it_was_published() -> None:
    before, after = selectors(k="published"), selectors(k="published")
    after["k"]["publicKey"] = selectors(other="staged")["other"]["publicKey"]
    was, becomes = stack(mail__dkim__selectors=before), stack(mail__dkim__selectors=after)
    assert step(was, becomes) == {"dkim-key-changed"}
    before["k"]["stage"] = after["k"]["stage"] = "staged"
    assert step(stack(mail__dkim__selectors=before), stack(mail__dkim__selectors=after)) == set()


def test_dates_go_forward_and_never_beyond_today() -> None:
    assert "dkim-since-backwards" in step(keys(k="staged 2026-06-02"), keys(k="published 2026-06-01"))
    future = step(keys(k="staged 2026-06-01"), keys(k="published 2026-07-01"), date(2026, 6, 2))
    assert "dkim-since-future" in future


def test_a_leaked_key_can_be_revoked_at_once_with_a_reason() -> None:
    accepted = [
        {
            "rule": "dkim-stage-skipped",
            "subject": "kolab:mail.dkim.selectors.k.stage",
            "reason": "the key has leaked",
        }
    ]
    after = stack(mail__dkim__selectors=selectors(k="revoked"), acknowledge=accepted)
    assert step(keys(k="active"), after) == set()


def test_the_policy_is_tightened_and_removed_step_by_step() -> None:
    path = [
        sts("none"),
        sts("testing", "2026-01-01"),
        sts("enforce", "2026-02-01"),
        sts("removing", "2026-06-01"),
        sts("none", "2026-06-09"),
    ]
    for before, after in itertools.pairwise(path):
        assert step(before, after) == set()


@pytest.mark.parametrize(
    ("before", "after"), [("none", "enforce"), ("enforce", "none"), ("none", "removing")]
)
def test_a_skipped_mta_sts_stage_is_refused(before: str, after: str) -> None:
    assert "mta-sts-stage-skipped" in step(sts(before, "2026-01-01"), sts(after, "2026-06-01"))


def test_removal_ends_no_sooner_than_the_longest_policy_is_forgotten() -> None:
    before = sts("removing", "2026-06-01")
    assert "mta-sts-removed-early" in step(before, sts("none", "2026-06-08"))
    assert "mta-sts-removed-early" in step(before, sts("none"))
    assert step(before, sts("none"), date(2026, 6, 9)) == set()
    assert "mta-sts-max-age-lowered" in step(before, sts("removing", "2026-06-01", age=86400))


YEAR = 31536000


def after_all(*steps: Settings) -> Deployed:
    """The model that a stack exports after these updates, each through JSON as the engine keeps it."""
    model = None
    for each in steps:
        model = Deployed.read(json.loads(json.dumps(snapshot(each, model).exported())))
    assert model is not None
    return model


def refusals(before: Deployed, after: Settings, today: date | None = None) -> set[str]:
    return {finding.rule for finding in judge(before, after, today).findings}


@pytest.mark.parametrize(
    "steps",
    [
        (sts("enforce", "2026-02-01", YEAR), sts("removing", "2026-06-01", 86400)),
        (
            sts("enforce", "2026-02-01", YEAR),
            sts("enforce", "2026-02-01", 86400),
            sts("removing", "2026-06-01", 86400),
        ),
        (
            sts("enforce", "2026-02-01", YEAR),
            sts("enforce", "2026-06-01", 86400),
            sts("removing", "2026-09-01", 86400),
        ),
        (sts("enforce", "2026-02-01", YEAR), sts("testing", "2026-06-01", 86400)),
        (
            sts("enforce", "2026-02-01", YEAR),
            sts("testing", "2026-06-01", 86400),
            sts("removing", "2026-06-02", 86400),
        ),
        (
            sts("enforce", "2026-02-01", YEAR),
            sts("removing", "2026-06-01", 86400),
            sts("testing", "2026-06-02", 86400),
            sts("enforce", "2026-06-03", 86400),
            sts("removing", "2026-06-04", 86400),
        ),
    ],
)
def test_the_longest_policy_that_senders_may_hold_is_remembered_with_its_day(
    steps: tuple[Settings, ...],
) -> None:
    before = after_all(*steps)
    early, safe = sts("none", "2027-06-01", 86400), sts("none", "2027-06-02", 86400)
    found = [f for f in judge(before, early).findings if f.rule == "mta-sts-removed-early"]
    assert ["before 2027-06-02" in str(f) for f in found] == [True]
    assert refusals(before, safe) == set()
    assert refusals(before, sts("none", None, 86400), date(2027, 6, 1)) == {"mta-sts-removed-early"}
    assert refusals(before, sts("none", None, 86400), date(2027, 6, 2)) == set()


def test_a_day_that_nobody_wrote_is_not_guessed() -> None:
    before = after_all(sts("enforce", None, YEAR), sts("testing", None, 86400))
    assert refusals(before, sts("none", "2030-01-01", 86400)) == {"mta-sts-end-unknown"}
    dated = after_all(
        sts("enforce", None, YEAR), sts("testing", None, 86400), sts("testing", "2026-06-01", 86400)
    )
    assert refusals(dated, sts("none", "2027-06-01", 86400)) == {"mta-sts-removed-early"}
    assert refusals(dated, sts("none", "2027-06-02", 86400)) == set()


def test_lowering_the_age_without_its_day_is_said() -> None:
    before, lower = sts("enforce", "2026-02-01", YEAR), sts("enforce", "2026-02-01", 86400)
    assert step(before, lower) == {"mta-sts-lowered-undated"}
    assert step(before, sts("enforce", "2026-06-01", 86400)) == set()


def test_a_day_does_not_go_backwards_nor_lie_ahead() -> None:
    before = sts("enforce", "2026-02-01", YEAR)
    assert step(before, sts("removing", "2025-06-01", YEAR)) == {"mta-sts-since-backwards"}
    ahead = step(before, sts("removing", "2026-06-01", YEAR), date(2026, 5, 31))
    assert ahead == {"mta-sts-since-future"}


def test_whole_days_are_waited_for_an_age_of_broken_days() -> None:
    before = after_all(sts("enforce", "2026-02-01", 90000), sts("removing", "2026-06-01", 86400))
    assert refusals(before, sts("none", "2026-06-03", 86400)) == {"mta-sts-removed-early"}
    assert refusals(before, sts("none", "2026-06-04", 86400)) == set()


def test_what_is_forgotten_and_what_is_outlived_leaves_the_model() -> None:
    longer = after_all(sts("enforce", "2026-02-01", 86400), sts("enforce", "2026-03-01", YEAR))
    assert longer.mta_sts.cached == ()
    gone = after_all(
        sts("enforce", "2026-02-01", 86400),
        sts("testing", "2026-03-01", 86400),
        sts("testing", "2026-03-03", 86400),
    )
    assert gone.mta_sts.cached == ()


def test_on_hold_nobody_holds_a_policy() -> None:
    held: Any = {"mail__mx": {"stage": "hold"}}
    before = after_all(sts("enforce", "2026-02-01", YEAR, **held), sts("testing", "2026-06-01", **held))
    assert before.mta_sts.cached == ()
    assert refusals(before, sts("none", "2026-06-01", **held)) == set()


@pytest.mark.parametrize(
    "change",
    [
        {
            "hosts": {"mx": "mx2.example.org"},
            "tlsa": None,
            "acknowledge": [{"rule": "mx-moved", "reason": "meant, and all owners know"}],
        },
        {"tls": {"issuer": "selfSigned"}},
        {
            "hostedDomains": ["example.net"],
            "acknowledge": [{"rule": "domain-lost", "reason": "meant, and all owners know"}],
        },
    ],
    ids=["MX name", "certificate", "domain"],
)
def test_after_enforce_nothing_that_the_policy_demands_changes_before_it_is_forgotten(
    change: dict[str, Any],
) -> None:
    change = {"tlsa": None} | change
    before = after_all(
        sts("enforce", "2026-02-01", YEAR, tlsa=None), sts("testing", "2026-06-01", 86400, tlsa=None)
    )
    early = sts("testing", "2027-06-01", 86400, **change)
    assert judge(before, early).refused
    assert not judge(before, sts("testing", "2027-06-02", 86400, **change)).refused
    follows = after_all(sts("enforce", "2026-02-01", YEAR, tlsa=None), sts("testing", "2026-06-01"), early)
    assert not judge(follows, early).refused


@examples(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("testing", "enforce", "removing")), st.integers(1, 60), st.integers(1, 60)
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 200),
)
def test_no_history_ends_while_a_sender_may_hold_an_enforced_policy(
    history: list[tuple[str, int, int]], wait: int
) -> None:
    """The model is compared with a sender who fetched each policy on its last day."""
    day, held, steps = date(2026, 1, 1), date.min, []
    for stage, age, lasts in history:
        steps.append(sts(stage, day.isoformat(), age * 86400))
        day += timedelta(days=lasts)
        if stage == "enforce":
            held = max(held, day + timedelta(days=age))
    before = after_all(*steps)
    assume(before.mta_sts.stage != "enforce")
    end = date.fromisoformat(str(before.mta_sts.since)) + timedelta(days=wait)
    if "mta-sts-removed-early" not in refusals(before, sts("none", end.isoformat(), 86400)):
        assert end > held


def test_under_enforce_neither_the_mx_name_nor_a_domain_may_leave() -> None:
    found = step(
        sts("enforce"), sts("enforce", hosts={"mx": "mx2.example.org"}, hostedDomains=["example.net"])
    )
    assert {"mta-sts-mx-changed", "mta-sts-domain-left", "mx-moved", "domain-lost"} == found


def test_going_live_passes_and_going_back_is_refused() -> None:
    held = stack(mail__mx={"stage": "hold"})
    assert step(held, stack()) == set()
    assert "mx-lost" in step(stack(), held)


def test_a_lost_domain_is_refused_while_live_and_free_on_hold() -> None:
    fewer: Any = {"hostedDomains": ["example.net"]}
    assert "domain-lost" in step(sts("none"), sts("none", **fewer))
    held: Any = {"mail__mx": {"stage": "hold"}}
    assert step(sts("none", **held), sts("none", **held, **fewer)) == set()


def test_the_domain_of_a_stack_that_takes_mail_stays_whatever_is_acknowledged() -> None:
    swapped: Any = {"domain": "example.net", "hostedDomains": ["example.org"]}
    meant: Any = {"acknowledge": [{"rule": "domain-fixed", "reason": "meant, and all owners know"}]}
    assert "domain-fixed" in step(sts("none"), sts("none", **swapped))
    assert ("acknowledge-firm", "kolab:acknowledge[0].rule") in places(refused_file(raw("cluster", meant)))


def test_the_domain_of_a_stack_on_hold_changes_with_a_reason_only() -> None:
    held: Any = {"mail__mx": {"stage": "hold"}}
    swapped: Any = {"domain": "example.net", "hostedDomains": ["example.org"]}
    assert "domain-changed" in step(sts("none", **held), sts("none", **held, **swapped))
    # Nor in the step that lets mail come.
    assert "domain-changed" in step(sts("none", **held), sts("none", **swapped))
    emptied: Any = {"acknowledge": [{"rule": "domain-changed", "reason": "the database was emptied"}]}
    assert "domain-changed" not in step(sts("none", **held), sts("none", **held, **swapped, **emptied))


def test_a_public_address_moves_only_with_a_reason() -> None:
    moved = {"network__public": {"10.0.0.11": "192.0.2.99"}}
    assert step(stack(), stack(**moved)) == {"address-moved"}
    accepted = [{"rule": "address-moved", "reason": "the old address forwards for a day"}]
    assert step(stack(), stack(**moved, acknowledge=accepted)) == set()


def test_mail_leaves_from_a_new_address_only_after_it_was_announced() -> None:
    new = {"network__egress": {"mode": "gateway", "addresses": ["198.51.100.3", "198.51.100.14"]}}
    assert "egress-unannounced" in step(stack(), stack(**new))
    announced = stack(network__announcedEgress="198.51.100.14")
    assert step(stack(), announced) == set()
    moved = stack(**new, network__announcedEgress=["198.51.100.9", "2001:db8:1::3"])
    assert step(announced, moved) == set()
    assert step(moved, stack(**new)) == set()


def test_an_address_that_pods_still_send_from_stays_known_in_the_step_that_leaves_it() -> None:
    fewer = {"mode": "gateway", "addresses": ["198.51.100.3"]}
    assert step(stack(), stack(network__egress=fewer)) == {"egress-dropped"}


def test_a_helo_name_does_not_change_under_addresses_that_stay() -> None:
    assert step(stack(), stack(hosts={"helo": "out.example.org"})) == {"helo-moved"}


def test_a_port_25_key_changes_in_three_steps() -> None:
    a, b, c = "a" * 64, "b" * 64, "c" * 64
    path = [{"current": a}, {"current": a, "next": b}, {"current": b, "next": a}, {"current": b, "next": c}]
    for before, after in itertools.pairwise(path):
        assert step(stack(tlsa=before), stack(tlsa=after)) == set()


def test_a_port_25_key_that_nobody_announced_or_that_goes_too_soon_is_refused() -> None:
    a, b = "a" * 64, "b" * 64
    assert "tlsa-not-announced" in step(stack(tlsa={"current": a}), stack(tlsa={"current": b, "next": a}))
    assert step(stack(tlsa={"current": a, "next": b}), stack(tlsa={"current": b})) == {"tlsa-old-dropped"}
    assert step(stack(), stack(tlsa=None)) == {"tlsa-removed"}


@examples(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(settings())
def test_findings_about_any_change_name_a_key(generated: Settings) -> None:
    for before, after in ((stack(), generated), (generated, stack())):
        for finding in transition(snapshot(before), after):
            assert finding.path.startswith("kolab:")
            assert finding.problem
            assert finding.fix
        cached_world(snapshot(before), after)


def test_the_snapshot_is_small_plain_json_without_secrets() -> None:
    text = json.dumps(snapshot(stack(hostedDomains=[f"d{n}.example" for n in range(1000)])).exported())
    assert len(text) < 100_000
