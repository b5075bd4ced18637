"""A domain may have an MTA-STS policy of its own, which moves through its stages by itself."""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any

import pytest

from model.deployed import Deployed
from model.findings import Finding
from model.identity import mta_sts, records
from model.identity.answers import Answers
from model.ledger import after
from model.monitoring import blackbox
from model.monitoring.probes import probes
from model.rules import mail
from model.settings import Settings
from model.step import judge
from model.transition import snapshot
from tests.identity.stacks import stack

OLD = [{"host": "mx.old.example", "preference": 10}]
DAY = datetime.date(2026, 11, 27)


def own(stage: str | None, since: str | None = "2026-01-01", max_age: int = 604800, **more: Any) -> Settings:
    policy = {"stage": stage, "since": since, "maxAge": max_age}
    changes = {"mail__mtaSts": {"stage": "testing", "since": "2026-01-01"}, **more}
    return stack(domains={"example.net": {"mtaSts": policy} if stage else {}}, **changes)


def errors(
    before: Settings | Deployed, now: Settings, today: datetime.date | None = DAY
) -> dict[str, Finding]:
    known = before if isinstance(before, Deployed) else snapshot(before)
    read = Deployed.read(known.exported())
    return {f.rule: f for f in judge(read, now, today).findings if f.severity == "error"}


def text(settings: Settings, domain: str) -> str:
    return (mta_sts.policy(settings, domain) or b"").decode()


def test_a_domain_serves_its_own_mode_and_age_under_an_id_of_its_own() -> None:
    found = own("enforce", max_age=86400)
    assert "mode: enforce\r\n" in text(found, "example.net")
    assert "max_age: 86400\r\n" in text(found, "example.net")
    assert "mode: testing\r\n" in text(found, "example.org")
    ids = [Answers(records(found)).text(f"_mta-sts.{d}", "v=STSv1") for d in ("example.net", "example.org")]
    assert ids == [(mta_sts.text(text(found, d).encode()),) for d in ("example.net", "example.org")]
    assert ids[0] != ids[1]


def test_it_allows_the_servers_of_this_domain_alone() -> None:
    found = stack(
        mail__mtaSts={"stage": "testing"},
        domains={
            "example.net": {"mtaSts": {"stage": "testing"}, "otherMx": OLD},
            "example.org": {"otherMx": [{"host": "backup.example", "preference": 20}]},
        },
    )
    assert [line for line in text(found, "example.net").splitlines() if line.startswith("mx:")] == [
        "mx: mx.example.org",
        "mx: mx.old.example",
    ]
    assert "mx.old.example" not in text(found, "example.org")


def test_a_domain_may_have_none_beside_others_that_have_one() -> None:
    found = own("none")
    assert mta_sts.policy(found, "example.net") is None
    assert Answers(records(found)).text("_mta-sts.example.net", "v=STSv1") == ()
    assert mta_sts.policy(found, "example.org")


def test_on_hold_it_says_nothing_about_the_server_of_somebody_else() -> None:
    found = stack(domains={"example.net": {"stage": "hold", "mtaSts": {"stage": "enforce"}}})
    assert mta_sts.policy(found, "example.net") is None
    assert not [r for r in records(found) if r.name in ("_mta-sts.example.net", "mta-sts.example.net")]


def test_its_way_through_the_stages_is_its_own() -> None:
    stages = [own("none"), own("testing"), own("enforce", "2026-02-01"), own("removing", "2026-11-01")]
    assert [errors(a, b) for a, b in pairwise(stages)] == [{}, {}, {}]
    refused = errors(own("none"), own("enforce"))["mta-sts-stage-skipped"]
    assert refused.path == "kolab:domains.example.net.mtaSts.stage"
    assert "mail.mtaSts" not in str(refused)


@pytest.mark.parametrize(("day", "rule"), [(9, {}), (8, {"mta-sts-removed-early"})], ids=str)
def test_what_senders_hold_of_it_is_remembered_with_its_largest_age(day: int, rule: set[str]) -> None:
    enforced = snapshot(own("enforce", max_age=604800))
    removing = snapshot(own("removing", "2026-11-01", 86400), enforced)
    assert [policy.max_age for policy in removing.policies["example.net"].cached] == [604800]
    today = datetime.date(2026, 11, day)
    assert set(errors(removing, own("none", today.isoformat(), 86400), today)) == set(rule)


def test_a_domain_that_leaves_the_common_policy_takes_along_what_senders_hold() -> None:
    common = own(None, mail__mtaSts={"stage": "enforce", "maxAge": 1209600, "since": "2026-01-01"})
    skipped = own("none", mail__mtaSts={"stage": "enforce", "maxAge": 1209600, "since": "2026-01-01"})
    assert "mta-sts-stage-skipped" in errors(common, skipped)
    left = snapshot(
        own(
            "removing",
            "2026-11-01",
            86400,
            mail__mtaSts={"stage": "enforce", "maxAge": 1209600, "since": "2026-01-01"},
        ),
        snapshot(common),
    )
    assert [policy.max_age for policy in left.policies["example.net"].cached] == [1209600]
    assert left.mta_sts.cached == ()


def test_a_domain_that_joins_the_common_policy_brings_along_what_senders_hold() -> None:
    before = snapshot(own("enforce", max_age=2419200))
    joined = snapshot(own(None, mail__mtaSts={"stage": "testing", "since": "2026-01-01"}), before)
    assert [policy.max_age for policy in joined.mta_sts.cached] == [2419200]


def test_other_domains_are_not_blamed_when_one_gets_its_own() -> None:
    common = {"stage": "enforce", "maxAge": 604800, "since": "2026-01-01"}
    assert errors(own(None, mail__mtaSts=common), own("enforce", mail__mtaSts=common)) == {}


def test_under_its_own_enforced_policy_a_domain_does_not_go_back_to_other_servers() -> None:
    def at(stage: str) -> Settings:
        policy = {"stage": "enforce", "since": "2026-01-01"}
        own = {"stage": stage, "otherMx": OLD, "mtaSts": policy}
        return stack(mail__mtaSts={"stage": "none"}, domains={"example.net": own})

    assert set(errors(at("live"), at("shadow"))) == {"mta-sts-domain-left"}


def test_another_name_of_the_mx_waits_for_every_policy_that_names_the_old_one() -> None:
    moved = own("enforce", hosts={"mx": "mx2.example.org"})
    found = errors(own("enforce"), moved)
    assert "mta-sts-mx-changed" in found
    assert "domains.example.net.mtaSts.stage" in found["mta-sts-mx-changed"].fix


def test_a_self_signed_certificate_is_refused_for_it_too() -> None:
    bare = own("enforce", mail__mtaSts={"stage": "none"}, tls={"issuer": "selfSigned"})
    found = {f.rule: f.path for f in mail.mta_sts(bare)}
    assert found["mta-sts-untrusted"] == "kolab:domains.example.net.mtaSts.stage"


def test_a_model_of_before_there_were_own_policies_is_read_as_one_for_all() -> None:
    output = snapshot(own(None)).exported()
    del output["policies"], output["dmarcPolicies"]
    assert errors(Deployed.read(output) or snapshot(own(None)), own("testing")) == {}


def test_an_update_that_did_not_end_leaves_the_policies_of_both_models() -> None:
    first, second = snapshot(own("enforce", max_age=604800)), snapshot(own("enforce", max_age=2419200))
    held = after(own("testing", "2026-11-01"), (first, second)).policies["example.net"].cached
    assert {policy.max_age for policy in held} == {604800, 2419200}


def test_each_expected_answer_is_asked_for() -> None:
    found = own("enforce")
    asked = {probe.hostname: probe.module for probe in probes(found) if probe.name == "mta-sts"}
    assert set(asked) == {f"mta-sts.{domain}" for domain in found.live}
    assert asked["mta-sts.example.net"] != asked["mta-sts.example.org"] == "mta-sts"
    config = blackbox.config(found)
    assert all(f"{module}:" in config for module in asked.values())


def test_quarantine_comes_before_reject_for_one_domain_as_for_all() -> None:
    def dmarc(policy: str) -> Settings:
        return stack(mail__dmarc={"policy": "none"}, domains={"example.net": {"dmarc": {"policy": policy}}})

    jump = [
        f.path for f in judge(snapshot(dmarc("none")), dmarc("reject")).findings if f.rule == "dmarc-jump"
    ]
    assert jump == ["kolab:domains.example.net.dmarc.policy"]
    assert not [
        f for f in judge(snapshot(dmarc("quarantine")), dmarc("reject")).findings if f.rule == "dmarc-jump"
    ]
