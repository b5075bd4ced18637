"""Each domain moves when its owner is ready: hold, shadow, live."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from model.deployed import Deployed
from model.identity import records
from model.identity.answers import Answers
from model.rules import mail
from model.settings import Settings
from model.step import judge
from model.transition import snapshot
from tests.identity.stacks import stack

OLD = [{"host": "mx1.old.example", "preference": 10}, {"host": "mx2.old.example", "preference": 20}]


def staged(stage: str | None, **changes: Any) -> Settings:
    own: dict[str, Any] = {"otherMx": OLD, "stage": stage} if stage else {}
    return stack(domains={"example.net": own}, **changes)


def at(settings: Settings, name: str, kind: str) -> set[str]:
    return {str(value) for value in Answers(records(settings)).ask(name, kind)}


def texts(settings: Settings, name: str) -> set[str]:
    return {str(value).strip('"').partition(";")[0] for value in Answers(records(settings)).ask(name, "TXT")}


def rules(before: Settings, after: Settings) -> set[str]:
    found = judge(Deployed.read(snapshot(before).exported()), after).findings
    return {each.rule for each in found if each.severity == "error"}


def test_a_domain_on_hold_has_no_mx_while_the_others_are_live() -> None:
    held = staged("hold")
    assert at(held, "example.net", "MX") == set()
    assert at(held, "example.org", "MX") == {"10 mx.example.org."}


def test_in_shadow_ours_stands_behind_every_server_that_has_the_mail_now() -> None:
    assert at(staged("shadow"), "example.net", "MX") == {
        "10 mx1.old.example.",
        "20 mx2.old.example.",
        "30 mx.example.org.",
    }


def test_only_a_live_domain_has_policies_and_clients_here() -> None:
    for stage, there in (("hold", False), ("shadow", False), ("live", True)):
        found = staged(stage)
        assert bool(at(found, "mta-sts.example.net", "A")) is there
        assert bool(at(found, "_imaps._tcp.example.net", "SRV")) is there
        assert bool(texts(found, "_mta-sts.example.net")) is there
        assert bool(texts(found, "_smtp._tls.example.net")) is there
        assert bool(at(found, "autodiscover.example.net", "A")) is there
        assert texts(found, "_mta-sts.example.org") == {"v=STSv1"}


def test_a_domain_may_be_live_before_all_others() -> None:
    first = staged("live", mail__mx={"stage": "hold"})
    assert first.live == ("example.net",)
    assert at(first, "example.org", "MX") == set()
    assert "10 mx.example.org." in at(first, "example.net", "MX")


def test_the_way_from_hold_through_shadow_to_live_is_free() -> None:
    steps = [staged(stage) for stage in ("hold", "shadow", "live")]
    assert [rules(before, after) for before, after in pairwise(steps)] == [set(), set()]


def test_a_domain_that_takes_mail_is_not_put_on_hold_again_unseen() -> None:
    for stage in ("shadow", "live"):
        found = judge(snapshot(staged(stage)), staged("hold")).findings
        assert ("mx-lost", "kolab:domains.example.net.stage") in {(each.rule, each.path) for each in found}


def test_a_live_domain_under_an_enforced_policy_does_not_go_back_to_other_servers() -> None:
    assert rules(staged("live"), staged("shadow")) == {"mta-sts-domain-left"}


def test_shadow_without_servers_that_stay_first_is_refused() -> None:
    alone = stack(domains={"example.net": {"stage": "shadow"}})
    assert "shadow-alone" in {each.rule for each in mail.going_live(alone)}
    assert "shadow-alone" not in {each.rule for each in mail.going_live(staged("shadow"))}


def test_a_model_without_stages_is_read_as_one_stage_for_all() -> None:
    output = snapshot(stack()).exported()
    del output["stages"]
    found = Deployed.read(output)
    assert found is not None
    assert found.live == frozenset(found.domains)


def test_tls_reports_of_a_domain_go_where_it_says() -> None:
    own = stack(domains={"example.net": {"tlsRpt": "tls@example.net"}})
    assert at(own, "_smtp._tls.example.net", "TXT") == {'"v=TLSRPTv1; rua=mailto:tls@example.net"'}
    assert at(own, "_smtp._tls.example.org", "TXT") != at(own, "_smtp._tls.example.net", "TXT")
