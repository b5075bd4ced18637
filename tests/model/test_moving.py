"""Domains are moved one by one, by steps that the judges of changes allow."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from model.deployed import Deployed
from model.itinerary import Itinerary, Move
from model.moving import itinerary, staged
from model.settings import Settings
from model.step import judge
from model.transition import snapshot
from tests.identity.stacks import selectors, stack

TODAY = datetime.date(2026, 11, 27)
OLD = [{"host": "mx.old.example", "preference": 10}]
KEY = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"


def sound(**changes: Any) -> Settings:
    """A stack file that preview would take."""
    return stack(**{"passportPublicKey": KEY, "mail__dkim__selectors": selectors(k1="active"), **changes})


def of(after: Settings, *before: Settings) -> Itinerary:
    return itinerary(after, tuple(snapshot(each) for each in before), "mine", TODAY)


def moves(found: Itinerary) -> dict[str, Move]:
    return {each.what: each for each in found.moves}


def test_a_domain_with_servers_of_its_own_goes_through_shadow_and_one_without_goes_live() -> None:
    here = sound(
        domains={
            "example.net": {"stage": "hold", "otherMx": OLD},
            "xn--mnchen-3ya.example": {"stage": "hold"},
        }
    )
    found = of(here, here)
    assert moves(found)["to shadow"].domains == ("example.net",)
    assert moves(found)["to live"].domains == ("xn--mnchen-3ya.example",)
    assert moves(found)["to shadow"].commands == ("./kolab dns move example.net --to shadow --stack mine",)


def test_every_stage_that_is_offered_is_one_that_a_preview_takes() -> None:
    here = sound(domains={"example.net": {"stage": "hold", "otherMx": OLD}})
    for each in of(here, here).moves:
        if each.domains:
            after = staged(here, each.domains, each.what.rpartition(" ")[2])
            assert not judge(snapshot(here), after, TODAY).refused


def test_a_step_that_a_rule_refuses_is_named_with_its_reason() -> None:
    here = sound(
        mail__mx={"stage": "hold"},
        mail__postmaster=None,
        mail__mtaSts={"stage": "none"},
        mail__dmarc={"policy": "none"},
    )
    found = of(here, here)
    assert "to live" not in moves(found)
    (refused,) = [each for each in found.hindrances if each.what == "to live"]
    assert refused.finding.rule == "live-without-postmaster"
    assert refused.domains == here.domains


def test_one_domain_in_the_way_holds_up_no_other() -> None:
    # The deployed policy of the one that was live before allows our MX alone, so it may not go back to shadow.
    names = tuple(f"d{n}.example" for n in range(8))
    own = {name: {"stage": "hold", "otherMx": OLD} for name in names}
    before = sound(hostedDomains=list(names), domains={**own, "d3.example": {"stage": "live"}})
    after = sound(hostedDomains=list(names), domains=own)
    found = of(after, after, before)
    assert "d3.example" not in moves(found)["to shadow"].domains
    assert set(moves(found)["to shadow"].domains) == set(names) - {"d3.example"}


def test_what_is_not_deployed_yet_comes_first() -> None:
    own = {"stage": "shadow", "otherMx": OLD}
    before, after = (
        sound(domains={"example.net": {**own, "stage": "hold"}}),
        sound(domains={"example.net": own}),
    )
    found = of(after, before)
    assert found.pending
    assert "to live" not in moves(found)
    (row,) = [each for each in found.domains if each.domain == "example.net"]
    assert (row.stage, row.wanted, row.next) == ("hold", "shadow", "live")
    assert not of(after, after).pending


def test_an_unfinished_update_is_judged_from_both_models() -> None:
    quiet = sound(mail__mtaSts={"stage": "removing", "since": "2026-11-20", "maxAge": 86400})
    enforced = sound(mail__mtaSts={"stage": "enforce", "since": "2026-01-01", "maxAge": 86400})
    assert moves(of(quiet, quiet))["MTA-STS: removing -> none"].day is None
    assert "MTA-STS: removing -> none" not in moves(of(quiet, enforced, quiet))


@pytest.mark.parametrize(
    ("since", "day"), [("2026-11-20", datetime.date(2026, 12, 1)), ("2026-11-01", None)], ids=str
)
def test_a_retired_key_waits_for_the_day_that_the_judge_of_changes_names(
    since: str, day: datetime.date | None
) -> None:
    here = sound(mail__dkim__selectors=selectors(k0=f"retired {since}", k1="active"))
    found = moves(of(here, here))["DKIM key k0: revoke"]
    assert found.day == day
    assert found.commands == ("./kolab dkim revoke k0 --stack mine",)


def test_a_policy_that_senders_hold_is_waited_for_from_the_day_on_which_it_ended() -> None:
    here = sound(mail__mtaSts={"stage": "removing", "since": "2026-11-20", "maxAge": 1209600})
    found = moves(of(here, here))["MTA-STS: removing -> none"]
    assert found.day == datetime.date(2026, 12, 5)
    assert found.commands[1].endswith("since' 2026-12-05 --stack mine")


def test_policies_of_domains_that_are_not_here_yet_are_no_business_of_ours() -> None:
    here = sound(mail__mx={"stage": "hold"}, mail__dmarc={"policy": "none"})
    found = of(here, here)
    assert not [each for each in found.moves if each.what.startswith("MTA-STS")]
    assert {(each.mta_sts, each.tls_rpt) for each in found.domains} == {("-", "-")}
    assert "are live too" in moves(found)["DMARC: none -> quarantine"].when


def test_the_first_plan_of_a_stack_that_nobody_deployed_is_the_update() -> None:
    found = of(sound())
    assert (found.known, found.pending) == (False, True)


def test_the_models_that_a_stack_exports_are_understood() -> None:
    here = sound()
    read = Deployed.read(snapshot(here).exported())
    assert read is not None
    assert not itinerary(here, (read,), "mine", TODAY).pending
