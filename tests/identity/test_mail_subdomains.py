"""A hosted domain below another one has an identity of its own: nothing of it is borrowed from the one above."""

from __future__ import annotations

from typing import Any

import pytest

from model.identity import cname_sheet, plan, records
from model.identity.answers import Answers
from model.identity.dmarc import authorisations
from model.rehearsal import rehearse
from model.settings import Settings
from tests.identity.stacks import rules, selectors, stack

SUB = "lists.example.net"
DEEP = "eu.lists.example.net"


def below(*hosted: str, **changes: Any) -> Settings:
    return stack(
        hostedDomains=["example.net", *hosted], mail__dkim__selectors=selectors(k1="active"), **changes
    )


def at(settings: Settings, name: str, kind: str) -> set[str]:
    return {str(value) for value in Answers(records(settings)).ask(name, kind)}


@pytest.mark.parametrize("name", [SUB, DEEP])
def test_it_has_every_kind_of_record_that_the_domain_above_has(name: str) -> None:
    found = below(SUB, DEEP)
    answers = Answers(records(found))
    assert at(found, name, "MX") == {"10 mx.example.org."}
    for owner, start in (
        (name, "v=spf1"),
        (name, "kolab-verify="),
        (f"k1._domainkey.{name}", "v=DKIM1"),
        (f"_dmarc.{name}", "v=DMARC1"),
        (f"_mta-sts.{name}", "v=STSv1"),
        (f"_smtp._tls.{name}", "v=TLSRPTv1"),
    ):
        assert len(answers.text(owner, start)) == 1, (owner, start)
    assert at(found, f"mta-sts.{name}", "A") == at(found, "mta-sts.example.net", "A") != set()


def test_a_stack_with_domains_below_each_other_is_sound() -> None:
    assert not rules(below(SUB, DEEP)) - rules(below())


def test_its_signature_is_its_own_and_aligned() -> None:
    verdicts = [v for v in rehearse(below(SUB)).outbound if v.domain == SUB]
    assert verdicts
    assert all(v.accepted and f"header.d={SUB} header.s=k1" in v.header() for v in verdicts)


def test_what_the_domain_above_says_of_its_sub_domains_is_not_said_of_it() -> None:
    found = below(
        SUB,
        domains={
            "example.net": {
                "dmarc": {"policy": "reject", "subdomainPolicy": "reject", "nonexistentPolicy": "reject"}
            },
            SUB: {"dmarc": {"policy": "none", "nonexistentPolicy": None}},
        },
    )
    (header,) = {v.header().rpartition("dmarc=")[2] for v in rehearse(found).outbound if v.domain == SUB}
    assert header.startswith("pass (p=none)")
    assert at(found, f"_dmarc.{SUB}", "TXT") == {'"v=DMARC1; p=none; rua=mailto:dmarc-reports@example.org"'}


def test_reports_within_one_organisation_need_no_consent() -> None:
    found = below(SUB, domains={SUB: {"dmarc": {"rua": ["d@example.net"]}}})
    assert (SUB, "example.net") not in set(authorisations(found))


def test_it_is_in_the_nearest_zone_of_ours_and_in_no_other() -> None:
    with_zone = plan(below(SUB, DEEP, dns__zones={"example.org": "", "example.net": "", SUB: ""})).zones
    assert {r.name for r in with_zone[SUB] if r.type == "MX" and r.priority} == {SUB, DEEP}
    assert not [r for r in with_zone["example.net"] if r.name.endswith(SUB)]
    without = plan(below(SUB, dns__zones={"example.org": "", "example.net": ""})).zones
    assert {r.name for r in without["example.net"] if r.type == "MX" and r.priority} == {"example.net", SUB}


def test_each_owner_gets_a_sheet_of_his_own_where_both_are_elsewhere() -> None:
    sheets = cname_sheet(below(SUB, dns__zones={"example.org": ""}))
    assert {SUB, "example.net"} <= sheets.keys()
    assert not [row for row in sheets["example.net"] if row.name.endswith(SUB)]
    targets = {row.name: str(row.value) for row in sheets[SUB] if row.type == "CNAME"}
    assert targets[f"_dmarc.{SUB}"] == f"_dmarc.{SUB}._hosted.example.org."
    assert targets[f"k1._domainkey.{SUB}"] == "k1._domainkey.example.org."


def test_its_stage_is_its_own() -> None:
    found = below(SUB, domains={SUB: {"stage": "hold"}})
    assert at(found, SUB, "MX") == set()
    assert at(found, "example.net", "MX") == {"10 mx.example.org."}
    assert not [r for r in records(found) if r.name in (f"_mta-sts.{SUB}", f"mta-sts.{SUB}")]


def test_ipv6_sources_are_in_spf_and_have_names_of_nibbles() -> None:
    found = below(SUB)
    assert any("ip6:2001:db8:1::3" in text for text in at(found, SUB, "TXT"))
    nibbles = "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    assert at(found, nibbles, "PTR") == {"mail.example.org."}
    assert at(found, "mail.example.org", "AAAA") == {"2001:db8:1::3"}
