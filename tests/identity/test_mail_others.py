"""Others who send or receive for our domains, and what one domain has of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import checkdmarc.dmarc
import pytest
from pydantic import ValidationError

from model.findings import Finding
from model.identity import dmarc, mta_sts, records, spf
from model.identity.answers import Answers
from model.identity.spf_check import evaluate
from model.identity.spf_count import Uncountable, count
from model.identity.spf_terms import terms
from model.rehearsal import rehearse
from model.rules import mail_others
from ops.spf_flatten import flatten
from ops.stacks import StackProblem
from tests.identity.stacks import stack

OURS = "v=spf1 ip4:198.51.100.3 ip4:198.51.100.9 ip6:2001:db8:1::3"


def text_of(domain: str, start: str, **changes: Any) -> str:
    """The one TXT record at `domain` that begins like that."""
    (found,) = Answers(records(stack(**changes))).text(domain, start)
    return found


def found(**changes: Any) -> list[Finding]:
    settings = stack(**changes)
    return [finding for rule in mail_others.RULES for finding in rule(settings)]


def test_an_include_stands_behind_our_own_addresses() -> None:
    given = {"includes": ["servers.mcsv.net"], "counted": {"servers.mcsv.net": 0}}
    assert text_of("example.org", "v=spf1", mail__senders=given) == f"{OURS} include:servers.mcsv.net ~all"


def test_networks_of_others_are_listed_as_they_are() -> None:
    given = {"networks": ["203.0.113.0/28", "2001:db8:99::/48"]}
    assert (
        text_of("example.org", "v=spf1", mail__senders=given)
        == f"{OURS} ip4:203.0.113.0/28 ip6:2001:db8:99::/48 ~all"
    )


def test_a_domain_may_have_senders_of_its_own_and_leaves_the_others_alone() -> None:
    changes: dict[str, Any] = {"domains": {"example.net": {"senders": {"networks": ["203.0.113.7"]}}}}
    assert text_of("example.net", "v=spf1", **changes) == f"{OURS} ip4:203.0.113.7 ~all"
    assert text_of("example.org", "v=spf1", **changes) == f"{OURS} ~all"


def test_a_domain_may_have_no_senders_where_all_others_have() -> None:
    changes: dict[str, Any] = {
        "mail__senders": {"networks": ["203.0.113.7"]},
        "domains": {"example.net": {"senders": {}}},
    }
    assert text_of("example.net", "v=spf1", **changes) == f"{OURS} ~all"


def test_our_own_mail_passes_before_a_receiver_asks_for_the_includes_of_others() -> None:
    settings = stack(mail__senders={"includes": ["servers.mcsv.net"]})
    verdict = evaluate(Answers(records(settings)), "198.51.100.9", "example.org")
    assert (verdict.result, verdict.lookups) == ("pass", 0)


def test_the_helo_name_and_the_shared_record_list_our_own_addresses_alone() -> None:
    changes: dict[str, Any] = {"mail__senders": {"includes": ["servers.mcsv.net"]}}
    assert "include" not in text_of("mail.example.org", "v=spf1", **changes)
    assert "include" not in text_of("_spf.example.org", "v=spf1", **changes)


@pytest.mark.parametrize(
    "name", ["mcsv", "a b.example", "x.example ~all", "include:x.example", "%{i}.example", ""]
)
def test_what_is_no_name_of_a_record_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name of an SPF record"):
        stack(mail__senders={"includes": [name]})


@pytest.mark.parametrize("name", ["_spf.google.com", "spf.protection.outlook.com", "Servers.MCSV.net."])
def test_names_that_services_really_use_are_taken(name: str) -> None:
    assert stack(mail__senders={"includes": [name]}).mail.senders.includes == (name.lower().rstrip("."),)


def test_ten_lookups_are_allowed_and_eleven_are_not() -> None:
    fits = {"includes": ["a.example", "b.example"], "counted": {"a.example": 5, "b.example": 3}}
    assert found(mail__senders=fits) == []
    (finding,) = found(mail__senders=fits | {"counted": {"a.example": 5, "b.example": 4}})
    assert (finding.rule, finding.path) == ("spf-lookups", "kolab:mail.senders")
    assert "11 times for example.org" in finding.problem


def test_the_include_of_a_relay_counts_too() -> None:
    relay = {"mode": "relay", "host": "relay.example", "spfInclude": "spf.relay.example"}
    assert spf.lookups(stack(network__egress=relay), "example.org") == 1


def test_an_include_that_nobody_counted_is_a_warning_that_names_the_command() -> None:
    (finding,) = found(domains={"example.net": {"senders": {"includes": ["a.example"]}}})
    assert (finding.rule, finding.severity, finding.path) == (
        "spf-uncounted",
        "warning",
        "kolab:domains.example.net.senders",
    )
    assert "./kolab dns count" in finding.fix


WORLD: Mapping[str, list[str]] = {
    "flat.example": ["v=spf1 ip4:192.0.2.0/24 ~all"],
    "deep.example": ["hello", "v=spf1 include:flat.example include:asks.example -all"],
    "asks.example": ["v=spf1 a mx:x.example a/24 exists:%{i}.x.example ptr ip4:192.0.2.1 ?all"],
    "away.example": ["v=spf1 redirect=flat.example"],
    "macro.example": ["v=spf1 include:%{d}.x.example -all"],
    "loop.example": ["v=spf1 include:pool.example"],
    "pool.example": ["v=spf1 include:loop.example"],
    "two.example": ["v=spf1 a", "v=spf1 mx"],
    "capital.example": ["V=SPF1 +INCLUDE:flat.example ~ALL"],
    "none.example": ["v=spf10 a"],
    "dangling.example": ["v=spf1 include:gone.example"],
}


@pytest.mark.parametrize(
    ("name", "lookups"),
    [("flat", 0), ("deep", 7), ("asks", 5), ("away", 1), ("macro", 1), ("capital", 1)],
)
def test_lookups_are_counted_through_includes_as_receivers_count_them(name: str, lookups: int) -> None:
    assert count(f"{name}.example", lambda asked: WORLD.get(asked, [])) == lookups


@pytest.mark.parametrize("name", ["loop", "two", "none", "gone", "dangling"])
def test_what_would_break_spf_is_not_counted_but_refused(name: str) -> None:
    with pytest.raises(Uncountable):
        count(f"{name}.example", lambda asked: WORLD.get(asked, []))


def test_a_record_without_end_is_not_followed_for_ever() -> None:
    assert count("0.example", lambda asked: [f"v=spf1 include:{int(asked.split('.')[0]) + 1}.example"]) > 20


def test_a_backup_is_in_the_mx_of_every_domain_and_in_the_policy() -> None:
    settings = stack(mail__mx={"stage": "live", "others": [{"host": "backup.example", "preference": 50}]})
    values = [str(value) for value in Answers(records(settings)).ask("example.net", "MX")]
    assert values == ["10 mx.example.org.", "50 backup.example."]
    body = (mta_sts.shared(settings) or b"").decode()
    assert body.splitlines()[2:4] == ["mx: mx.example.org", "mx: backup.example"]


def test_a_domain_that_moves_keeps_its_old_server_first() -> None:
    old = {"host": "old.example", "preference": 5}
    settings = stack(domains={"example.net": {"otherMx": [old]}})
    answers = Answers(records(settings))
    assert [str(v) for v in answers.ask("example.net", "MX")] == ["10 mx.example.org.", "5 old.example."]
    assert [str(v) for v in answers.ask("example.org", "MX")] == ["10 mx.example.org."]
    assert "mx: old.example" in (mta_sts.shared(settings) or b"").decode()
    (line,) = [v.line() for v in rehearse(settings).inbound if v.domain == "example.net"]
    assert "MX old.example (not ours), mx.example.org (" in line
    assert "mta-sts=pass" in line
    assert "dane=pass" in line


def test_on_hold_no_server_is_published_ours_or_not() -> None:
    changes = {"stage": "hold", "others": [{"host": "backup.example", "preference": 50}]}
    assert not [r for r in records(stack(mail__mx=changes)) if r.type == "MX" and "backup" in r.content]


def test_our_own_server_is_none_of_the_others() -> None:
    own = [{"host": "mx.example.org", "preference": 50}]
    (finding,) = found(domains={"example.net": {"otherMx": own}})
    assert (finding.rule, finding.path) == ("other-mx-ours", "kolab:domains.example.net.otherMx")


def test_a_domain_may_have_a_policy_and_reports_of_its_own() -> None:
    own = {"policy": "reject", "rua": ["d@example.net"], "ruf": ["f@example.net"], "fo": "1:d:s"}
    body = text_of("_dmarc.example.net", "v=DMARC1", domains={"example.net": {"dmarc": own}})
    assert (
        body == "v=DMARC1; p=reject; np=reject; rua=mailto:d@example.net; ruf=mailto:f@example.net; fo=1:d:s"
    )
    assert text_of("_dmarc.example.org", "v=DMARC1").startswith("v=DMARC1; p=quarantine")
    parsed = checkdmarc.dmarc.parse_dmarc_record(body, "example.net", syntax_error_marker="!")
    assert parsed["tags"]["fo"]["value"] == "1:d:s"


def test_fo_says_nothing_without_an_address_for_it() -> None:
    assert "fo=" not in text_of("_dmarc.example.org", "v=DMARC1", mail__dmarc={"fo": "1"})


def test_consent_is_published_for_single_reports_too() -> None:
    own = {"ruf": ["f@example.org"]}
    assert ("example.net", "example.org") in set(
        dmarc.authorisations(stack(domains={"example.net": {"dmarc": own}}))
    )


def test_a_section_about_a_domain_that_is_not_here_is_refused() -> None:
    (finding,) = found(domains={"example.edu": {"senders": {}}})
    assert (finding.rule, finding.path) == ("domain-not-served", "kolab:domains.example.edu")


def test_mechanisms_stand_as_they_are_written_and_each_costs_a_lookup() -> None:
    given = {"mechanisms": ["a:web.example", "mx", "?exists:%{ir}.list.example"], "networks": ["203.0.113.7"]}
    assert text_of("example.org", "v=spf1", mail__senders=given) == (
        f"{OURS} ip4:203.0.113.7 a:web.example mx ?exists:%{{ir}}.list.example ~all"
    )
    assert spf.lookups(stack(mail__senders=given), "example.org") == 3


@pytest.mark.parametrize(
    "text", ["a", "mx", "A:Web.example/28//64", "-mx:x.example", "exists:%{l1r-}.x.%{d2}", "a//64"]
)
def test_mechanisms_that_are_taken_can_be_read_by_receivers(text: str) -> None:
    (found,) = stack(mail__senders={"mechanisms": [text]}).mail.senders.mechanisms
    assert terms(f"v=spf1 {found}")


@pytest.mark.parametrize(
    "text",
    [
        "ptr",
        "all",
        "+all",
        "include:x.example",
        "ip4:203.0.113.1",
        "a b",
        "a:",
        "exists:",
        "a:x",
        "mx/99x",
        "a:%{x}.example",
        "redirect=x.example",
        "exp=x.example",
        'a:x.example"',
        "",
    ],
)
def test_what_is_no_mechanism_or_has_a_key_of_its_own_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="must be a, mx or exists of SPF"):
        stack(mail__senders={"mechanisms": [text]})


FLAT = {
    ("svc.example", "TXT"): ["v=spf1 ip4:192.0.2.0/25 include:in.example a:web.example/28 mx ?all"],
    ("in.example", "TXT"): ["v=spf1 ip4:192.0.2.128/25 ip6:2001:db8::/48 redirect=more.example"],
    ("more.example", "TXT"): ["V=SPF1 ip4:203.0.113.5 -all"],
    ("web.example", "A"): ["198.51.100.7"],
    ("svc.example", "MX"): ["10 mail.svc.example."],
    ("mail.svc.example", "AAAA"): ["2001:db8:1::1"],
    ("macro.example", "TXT"): ["v=spf1 exists:%{i}.x.example -all"],
    ("loop.example", "TXT"): ["v=spf1 include:loop.example -all"],
    ("open.example", "TXT"): ["v=spf1 +all"],
    ("not.example", "TXT"): ["v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all"],
}


def test_an_include_is_flattened_into_the_networks_that_it_stands_for() -> None:
    assert flatten("svc.example", lambda name, kind: FLAT.get((name, kind), [])) == (
        "192.0.2.0/24",
        "198.51.100.0/28",
        "203.0.113.5",
        "2001:db8::/48",
        "2001:db8:1::1",
    )


@pytest.mark.parametrize(
    "name", ["macro.example", "loop.example", "open.example", "not.example", "gone.example"]
)
def test_what_is_no_list_of_networks_is_not_flattened(name: str) -> None:
    with pytest.raises(StackProblem, match="cannot be flattened"):
        flatten(name, lambda name, kind: FLAT.get((name, kind), []))


@pytest.mark.parametrize(
    ("others", "rule"),
    [
        (
            [{"host": "backup.example", "preference": 20}, {"host": "Backup.example.", "preference": 30}],
            "other-mx-twice",
        ),
        ([{"host": "imap.example.org", "preference": 20}], "other-mx-host"),
        ([{"host": "mail.example.org", "preference": 20}], "other-mx-host"),
        ([{"host": "autoconfig.example.net", "preference": 20}], "other-mx-host"),
    ],
)
def test_what_cannot_take_mail_beside_us_is_refused(others: list[dict[str, Any]], rule: str) -> None:
    (finding,) = found(mail__mx={"stage": "live", "others": others})
    assert (finding.rule, finding.path, finding.severity) == (rule, "kolab:mail.mx.others", "error")


@pytest.mark.parametrize(("preference", "ours"), [(5, 15), (65530, 65535), (65535, None)])
def test_in_shadow_ours_stands_behind_where_there_is_room(preference: int, ours: int | None) -> None:
    own = {"stage": "shadow", "otherMx": [{"host": "old.example", "preference": preference}]}
    changes: dict[str, Any] = {"domains": {"example.net": own}}
    if ours is None:
        assert [each.rule for each in found(**changes)] == ["shadow-no-room"]
    else:
        values = {str(value) for value in Answers(records(stack(**changes))).ask("example.net", "MX")}
        assert values == {f"{preference} old.example.", f"{ours} mx.example.org."}


@pytest.mark.parametrize("report", ["https://reports.example.org/caa", "http://reports.example.org:8080/"])
def test_authorities_may_report_to_a_url(report: str) -> None:
    made = stack(domains={"example.net": {"caa": {"iodef": report}}})
    assert any(str(r.value) == f'0 iodef "{report}"' for r in records(made) if r.name.endswith("example.net"))
    with pytest.raises(ValidationError, match=r"must be an address such as .* or a URL"):
        stack(dns__caa={"iodef": "nobody"})
