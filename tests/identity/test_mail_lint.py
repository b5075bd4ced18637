"""The linter of records finds what no record set may hold, even if a mechanism made it by mistake."""

from __future__ import annotations

import pytest

from model.findings import Finding
from model.identity import file_name, markdown, parse, records, tickets
from model.identity.answers import Answers
from model.identity.lint import lint
from model.identity.lint_sending import lint_sending
from tests.identity.stacks import findings, stack


def linted(*lines: str) -> list[Finding]:
    """Findings about the full stack's records with these added."""
    return list(lint(stack(), [*records(stack()), *map(parse, lines)]))


def judged(*lines: str, without: str = "") -> set[str]:
    """Problems of the sending identity when these records are added and those at `without` are gone."""
    kept = [r for r in records(stack()) if r.name != without]
    return {f.problem for f in lint_sending(stack(), Answers([*kept, *map(parse, lines)]))}


def test_the_full_stack_is_clean() -> None:
    assert linted() == []
    assert judged() == set()


@pytest.mark.parametrize(
    ("line", "rule", "path"),
    [
        ("activesync.example.org. 60 IN CNAME elsewhere.example.", "dns-cname-clash", "kolab:domain"),
        ("turn.example.net. 60 IN CNAME a.example.\nturn.example.net. 60 IN CNAME b.example.", "dns-cname-clash", "kolab:hostedDomains[0]"),
        ('example.net. 60 IN TXT "v=spf1 -all"', "dns-twice", "kolab:hostedDomains[0]"),
        ('_dmarc.example.org. 60 IN TXT "v=DMARC1; p=none"', "dns-twice", "kolab:domain"),
        ('_mta-sts.example.org. 60 IN TXT "v=STSv1; id=1"', "dns-twice", "kolab:domain"),
        ('k1._domainkey.example.org. 60 IN TXT "v=DKIM1; p="', "dns-twice", "kolab:domain"),
        ("example.org. 60 IN MX 0 .", "dns-null-mx", "kolab:domain"),
        (f'example.org. 60 IN TXT "{"x" * 250}" "{"x" * 250}" "{"x" * 250}" "{"x" * 250}" "{"x" * 250}"', "dns-txt-size", "kolab:domain"),
        (f"{'a' * 64}.example.org. 60 IN A 192.0.2.1", "dns-name-too-long", "kolab:domain"),
        ("1.0.0.10.in-addr.arpa. 60 IN PTR alias.example.org.\nalias.example.org. 60 IN CNAME mail.example.org.", "dns-target-alias", "kolab:domain"),
    ],
    ids=lambda value: value if value.startswith(("dns-", "kolab:")) else value.split()[0],
)  # fmt: skip
def test_a_record_set_that_servers_or_receivers_refuse_is_found(line: str, rule: str, path: str) -> None:
    found = linted(*line.splitlines())
    assert [(f.rule, f.path) for f in found] == [(rule, path)]
    assert all(f.source.startswith("RFC ") for f in found)


def test_a_record_in_a_reverse_zone_is_about_ptr() -> None:
    found = linted(
        "1.0.0.10.in-addr.arpa. 60 IN CNAME a.example.", "1.0.0.10.in-addr.arpa. 60 IN PTR mail.example.org."
    )
    assert {f.path for f in found} == {"kolab:dns.ptr"}


def test_a_missing_reverse_name_breaks_the_triangle() -> None:
    found = judged(without="3.0-15.100.51.198.in-addr.arpa")
    assert len(found) == 1
    assert "198.51.100.3 is called nothing" in found.pop()


def test_spf_that_forgets_an_address_is_found() -> None:
    found = judged(
        'example.net. 60 IN TXT "v=spf1 ip4:198.51.100.3 ip6:2001:db8:1::3 ~all"', without="example.net"
    )
    assert found == {"lists 198.51.100.9, but SPF of example.net says softfail for it"}


def test_spf_that_lets_strangers_pass_is_found() -> None:
    found = judged('example.net. 60 IN TXT "v=spf1 +all"', without="example.net")
    assert len(found) == 2
    assert all("lets the foreign address" in problem and "+all" in problem for problem in found)


def test_spf_with_too_many_lookups_is_found() -> None:
    found = judged(f'example.net. 60 IN TXT "v=spf1 {"a:imap.example.org " * 11}-all"', without="example.net")
    assert any("look up 11 names" in problem for problem in found)


def test_spf_that_nobody_can_read_is_found() -> None:
    found = judged('example.net. 60 IN TXT "v=spf1 ip4:300.1.2.3 -all"', without="example.net")
    assert found == {"gives example.net an SPF record that receivers cannot evaluate"}


def test_an_alias_that_leads_in_a_circle_answers_nothing() -> None:
    circle = Answers(map(parse, ("a.example. 60 IN CNAME b.example.", "b.example. 60 IN CNAME a.example.")))
    assert circle.ask("a.example", "A") == ()


def test_what_is_announced_must_be_an_address_of_the_world() -> None:
    found = [
        f
        for f in findings(stack(network__announcedEgress="10.1.2.3"))
        if f.rule == "egress-announced-private"
    ]
    assert [f.path for f in found] == ["kolab:network.announcedEgress"]


def test_an_announcement_needs_an_spf_record_to_stand_in() -> None:
    relay = {"mode": "relay", "host": "relay.example"}
    found = findings(stack(network__egress=relay, network__announcedEgress="198.51.100.3"))
    assert [f.path for f in found if f.rule == "spf-relay-unknown"] == ["kolab:network.egress.spfInclude"]


def test_a_web_name_without_an_address_is_a_warning() -> None:
    ingress = {"className": "nginx", "namespace": "web", "controllerCidr": "10.42.0.0/24"}
    found = [f for f in findings(stack(network__ingress=ingress)) if f.rule == "ingress-without-address"]
    assert [f.severity for f in found] == ["warning"]


def test_the_file_of_a_child_zone_has_no_slash_in_its_name() -> None:
    assert file_name("0/28.2.0.192.in-addr.arpa") == "0-28.2.0.192.in-addr.arpa.zone"


def test_tickets_are_a_page_that_can_be_pasted() -> None:
    page = markdown(tickets(stack(dns__ptr={"provider": "manual"})))
    assert "### ptr 2001:db8:1::3\n\nTo: whoever gave you the address 2001:db8:1::3" in page
    assert "```\nexample.org. 3600 IN NS ns1.example.org." in page
