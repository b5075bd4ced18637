"""`ops dns show|export|tickets|compare`: the records for people and servers outside of the stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from model.findings import Finding
from model.identity import file_name, parse, tickets, zone_file, zones
from model.identity import records as every_record
from model.identity.answers import Answers
from model.identity.existing import kind
from model.identity.zonefile import serial_of
from model.settings import Settings
from ops import render
from ops.__main__ import main
from ops.dns import existing_conflicts
from ops.stacks import ROOT, StackFile, StackProblem
from tests.identity.stacks import stack
from tests.support.nameserver import NameServer, serving

ZONE = "example.org"
OURS = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NameServer]:
    """A server with a zone that somebody else fills."""
    with serving(tmp_path, {ZONE: zone_file(OURS, ZONE, [])}) as found:
        yield found


def found(server: NameServer) -> list[Finding]:
    return existing_conflicts(OURS, [server.given])


def test_an_empty_zone_holds_nothing_in_the_way(server: NameServer) -> None:
    assert found(server) == []


def test_what_this_stack_has_published_is_not_in_its_way(tmp_path: Path) -> None:
    with serving(tmp_path, {ZONE: zone_file(OURS, ZONE, zones(OURS)[ZONE])}) as own:
        assert found(own) == []


@pytest.mark.parametrize(
    ("name", "kind", "value", "rule"),
    [
        (ZONE, "TXT", '"v=spf1 include:else.example -all"', "dns-duplicate"),
        (f"_dmarc.{ZONE}", "TXT", '"v=DMARC1; p=none"', "dns-duplicate"),
        (ZONE, "MX", "10 mail.else.example.", "dns-duplicate"),
        (f"imap.{ZONE}", "CNAME", "imap.else.example.", "dns-alias"),
        (f"_dmarc.{ZONE}", "TXT", '" V = dmarc1 ; p=reject"', "dns-duplicate"),
        (f"k1._domainkey.{ZONE}", "TXT", '"k=rsa; p=AAAA"', "dns-duplicate"),
        (ZONE, "AAAA", "2001:db8:ffff::1", "dns-leads-elsewhere"),
        (f"imap.{ZONE}", "AAAA", "2001:db8:ffff::1", "dns-leads-elsewhere"),
        (ZONE, "HTTPS", "1 . alpn=h2 ipv6hint=2001:db8:ffff::1", "dns-leads-elsewhere"),
        (ZONE, "HTTPS", "0 cdn.else.example.", "dns-leads-elsewhere"),
        (f"imap.{ZONE}", "SVCB", "1 . port=8443", "dns-leads-elsewhere"),
        (f"_25._tcp.imap.{ZONE}", "TLSA", f"3 1 1 {'ab' * 32}", "dns-left-behind"),
        (f"_domainkey.{ZONE}", "NS", "ns.else.example.", "dns-cut"),
        (f"_domainkey.{ZONE}", "DNAME", "keys.else.example.", "dns-cut"),
    ],
    ids=str,
)
def test_what_would_be_duplicated_or_shadowed_is_an_error(
    name: str, kind: str, value: str, rule: str, server: NameServer
) -> None:
    server.add(ZONE, name, kind, value)
    (finding,) = found(server)
    assert (finding.rule, finding.severity, finding.path) == (rule, "error", f"kolab:dns.zones.{ZONE}")
    # Whether a value of SVCB stands in quotes is for the library to choose.
    assert value.replace('"', "") in finding.problem.replace('"', "")


def test_a_policy_of_another_server_is_in_the_way_of_an_mx_without_one(server: NameServer) -> None:
    server.add(ZONE, f"_mta-sts.{ZONE}", "TXT", '"v = STSv1; id=7"')
    bare = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[], mail__mtaSts={"stage": "none"})
    assert [each.rule for each in existing_conflicts(bare, [server.given])] == ["dns-left-behind"]
    held = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[], mail__mx={"stage": "hold"})
    assert existing_conflicts(held, [server.given]) == []


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (
            "v=spf1 include:servers.mcsv.net ip4:203.0.113.0/28 -all",
            f"kolab:domains.{ZONE}.senders: {{includes: [servers.mcsv.net], networks: [203.0.113.0/28]}}",
        ),
        ("v=spf1 ip6:2001:db8:9::1 ?all", f'kolab:domains.{ZONE}.senders: {{"networks": ["2001:db8:9::1"]}}'),
        (
            "V=SPF1 +include:a.example ptr redirect=b.example",
            "name the servers of ptr, redirect=b.example in",
        ),
        (
            "v=spf1 a mx:other.example/28 -all",
            f'kolab:domains.{ZONE}.senders: {{"mechanisms": ["a", "mx:other.example/28"]}}',
        ),
    ],
)
def test_a_second_spf_record_is_refused_with_the_one_that_serves_both(
    text: str, way: str, server: NameServer
) -> None:
    server.add(ZONE, ZONE, "TXT", f'"{text}"')
    (finding,) = found(server)
    assert (finding.rule, finding.severity) == ("dns-duplicate", "error")
    assert way in finding.fix


def test_what_the_proposal_says_is_what_the_stack_then_publishes(server: NameServer) -> None:
    server.add(ZONE, ZONE, "TXT", '"v=spf1 include:servers.mcsv.net ip4:203.0.113.0/28 -all"')
    (finding,) = found(server)
    written = yaml.safe_load(finding.fix.partition(".senders: ")[2].partition(" for one record, ")[0])
    merged = finding.fix.partition(" for one record, ")[2].partition(", then")[0]
    after = stack(
        dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[], domains={ZONE: {"senders": written}}
    )
    texts = Answers(zones(after)[ZONE]).text(ZONE, "v=spf1")
    assert [set(text.split()) for text in texts] == [set(merged.split())]


def test_a_second_dmarc_record_is_refused_with_its_words_in_the_stack_file(server: NameServer) -> None:
    record = "v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@else.example!10m,https://x.example"
    server.add(ZONE, f"_dmarc.{ZONE}", "TXT", f'"{record}"')
    (finding,) = found(server)
    wanted = (
        f"kolab:domains.{ZONE}.dmarc: {{policy: reject, subdomainPolicy: quarantine, rua: [d@else.example]}}"
    )
    assert wanted in finding.fix


def test_hosts_that_an_apex_caa_would_govern_are_named(server: NameServer) -> None:
    server.add(ZONE, f"www.{ZONE}", "A", "203.0.113.80")
    server.add(ZONE, f"shop.{ZONE}", "CNAME", "shops.else.example.")
    server.add(ZONE, f"wiki.{ZONE}", "A", "203.0.113.81")
    server.add(ZONE, f"wiki.{ZONE}", "CAA", '0 issue "else.example"')
    (one,) = found(server)
    assert (one.rule, one.severity) == ("dns-caa-governs", "warning")
    assert f"governs shop.{ZONE}, www.{ZONE}: letsencrypt.org alone" in one.problem
    assert f"kolab:domains.{ZONE}.caa.issue" in one.fix


def test_an_authority_of_the_organisation_stays_and_is_proposed(server: NameServer) -> None:
    server.add(ZONE, f"www.{ZONE}", "A", "203.0.113.80")
    server.add(ZONE, ZONE, "CAA", '0 issue "digicert.com"')
    (one,) = found(server)
    assert (one.rule, one.severity) == ("dns-caa-beside", "warning")
    assert f"kolab:domains.{ZONE}.caa: {{issue: [digicert.com]}}" in one.fix


def test_hints_that_lead_nowhere_else_are_in_nobodys_way(server: NameServer) -> None:
    server.add(ZONE, ZONE, "HTTPS", "1 . alpn=h2 ipv4hint=192.0.2.10")
    assert found(server) == []


def test_text_of_other_kinds_is_in_nobodys_way(server: NameServer) -> None:
    server.add(ZONE, ZONE, "TXT", '"google-site-verification=abc"')
    assert found(server) == []


@pytest.mark.parametrize("kind", ["A", "TXT", "CNAME"])
def test_a_wildcard_is_one_warning_and_no_error_at_every_name_that_it_answers_for(
    kind: str, server: NameServer
) -> None:
    values = {"A": "203.0.113.9", "TXT": '"v=spf1 -all"', "CNAME": "else.example."}
    server.add(ZONE, f"*.{ZONE}", kind, values[kind])
    assert [(each.rule, each.severity) for each in found(server)] == [("dns-wildcard", "warning")]


def test_a_wildcard_further_down_is_seen(server: NameServer) -> None:
    server.add(ZONE, f"*._domainkey.{ZONE}", "TXT", '"v=DKIM1; p="')
    assert [each.rule for each in found(server)] == ["dns-wildcard"]


@pytest.mark.parametrize(
    ("kind", "value", "stage", "severity"),
    [
        ("MX", "10 mail.else.example.", "hold", "error"),
        ("CNAME", "mail.else.example.", "hold", "error"),
        ("A", "203.0.113.9", "hold", "error"),
        ("AAAA", "2001:db8:ffff::1", "live", "warning"),
        ("MX", "10 mail.else.example.", "live", None),
        ("TXT", '"hello"', "hold", None),
    ],
    ids=str,
)
def test_a_mail_domain_that_a_wildcard_answers_for_loses_no_answer(
    kind: str, value: str, stage: str, severity: str | None, server: NameServer
) -> None:
    below = stack(
        dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[f"lists.{ZONE}"], mail__mx={"stage": stage}
    )
    server.add(ZONE, f"*.{ZONE}", kind, value)
    said = [each for each in existing_conflicts(below, [server.given]) if each.rule == "dns-wildcard-ends"]
    assert [each.severity for each in said] == ([severity] if severity else [])
    if severity:
        assert f"lists.{ZONE}" in said[0].problem
    # What it answered with is its own then, so nothing ends.
    server.add(ZONE, f"lists.{ZONE}", kind, value)
    assert "dns-wildcard-ends" not in {each.rule for each in existing_conflicts(below, [server.given])}


def test_a_neighbour_in_other_hands_is_named_among_those_that_caa_would_govern(server: NameServer) -> None:
    server.add(ZONE, f"shop.{ZONE}", "NS", "ns.else.example.")
    server.add(ZONE, f"autodiscover.{ZONE}", "CNAME", "autodiscover.else.example.")
    server.add(ZONE, f"_dmarc.{ZONE}", "CNAME", "dmarc.else.example.")
    held = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[], mail__mx={"stage": "hold"})
    (governed,) = [f for f in existing_conflicts(held, [server.given]) if f.rule == "dns-caa-governs"]
    assert f"shop.{ZONE}" in governed.problem
    assert f"autodiscover.{ZONE}" in governed.problem
    assert "_dmarc" not in governed.problem


def test_a_hosted_domain_below_a_delegation_is_in_other_hands(server: NameServer) -> None:
    server.add(ZONE, f"*.{ZONE}", "MX", "10 mail.else.example.")
    server.add(ZONE, f"lists.{ZONE}", "NS", "ns.else.example.")
    below = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[f"lists.{ZONE}"])
    assert "dns-cut" in {each.rule for each in existing_conflicts(below, [server.given])}


@pytest.mark.parametrize(
    ("tag", "fix"),
    [("issue", "remove it at the provider"), ("issuewild", f"kolab:domains.{ZONE}.caa: {{issuewild: []}}")],
)
def test_caa_that_lets_nobody_issue_is_said_in_words_that_the_stack_file_takes(
    tag: str, fix: str, server: NameServer
) -> None:
    server.add(ZONE, ZONE, "CAA", f'0 {tag} ";"')
    (finding,) = found(server)
    assert (finding.rule, finding.severity) == ("dns-caa-beside", "warning")
    assert fix in finding.fix


def test_a_server_without_the_zone_is_not_taken_for_an_empty_zone(server: NameServer) -> None:
    with pytest.raises(StackProblem, match="does not hold the zone"):
        existing_conflicts(stack(), [server.given])


def test_compare_fails_when_something_is_in_the_way(
    server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(ZONE, ZONE, "TXT", '"v=spf1 include:else.example -all"')
    assert main(["dns", "compare", "--stack", "single-node", "--server", server.given]) == 1
    assert "[dns-duplicate]" in capsys.readouterr().err


def test_compare_succeeds_when_nothing_is(server: NameServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dns", "compare", "--stack", "single-node", "--server", server.given]) == 0
    assert "nothing in the way" in capsys.readouterr().err


def test_show_lists_every_record_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    settings, _ = StackFile.read("cluster").settings()
    assert main(["dns", "show", "--stack", "cluster", "--wide"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for record in every_record(settings):
        assert any(
            line.startswith(record.name) and record.content in line and record.why in line for line in lines
        )


def test_export_writes_every_zone(tmp_path: Path) -> None:
    settings, _ = StackFile.read("cluster").settings()
    assert main(["dns", "export", "--stack", "cluster", "--to", str(tmp_path / "zones")]) == 0
    for zone, records in zones(settings).items():
        lines = (tmp_path / "zones" / file_name(zone)).read_text().splitlines()
        written = {parse(line) for line in lines if " IN " in line and " IN SOA " not in line}
        assert set(records) <= written


def exported(folder: Path, settings: Settings, served: int | None = None) -> int:
    """The serial after one more export."""
    render.write_zones(settings, folder, {} if served is None else {ZONE: served})
    return serial_of((folder / file_name(ZONE)).read_text())


def test_edits_one_after_the_other_never_take_a_serial_back(tmp_path: Path) -> None:
    edits = [stack(dns__ttl=ttl) for ttl in (3600, 300, 3600, 600, 3600, 300, 60)]
    found = [exported(tmp_path, each) for each in edits]
    assert found == list(range(found[0], found[0] + 7))


def test_an_export_without_an_edit_keeps_the_serial(tmp_path: Path) -> None:
    assert exported(tmp_path, OURS) == exported(tmp_path, OURS)


@pytest.mark.parametrize("served", [0, 1, 2026112601, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_serial_comes_after_the_served_one_and_after_the_last_file(served: int, tmp_path: Path) -> None:
    first = exported(tmp_path, OURS, served)
    assert 0 < (first - served) % 2**32 < 2**31
    assert exported(tmp_path, OURS, served) == first
    assert exported(tmp_path, OURS, first) == first
    assert exported(tmp_path, stack(dns__ttl=60), served) == ((first + 1) % 2**32 or 1)


def test_a_file_without_a_serial_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / file_name(ZONE)
    path.write_text("half a file")
    with pytest.raises(StackProblem, match=f"holds no SOA.*--served {ZONE}=<serial>"):
        render.write_zones(OURS, tmp_path)
    assert path.read_text() == "half a file"


def test_export_asks_a_server_for_the_serials(server: NameServer, tmp_path: Path) -> None:
    to = ["dns", "export", "--stack", "single-node", "--to", str(tmp_path / "zones")]
    assert main([*to, "--server", server.given]) == 0
    served = serial_of(zone_file(OURS, ZONE, []))
    assert serial_of((tmp_path / "zones" / file_name(ZONE)).read_text()) == served + 1
    assert main([*to, "--served", f"{ZONE.upper()}.=7", "--served", "5"]) == 0


@pytest.mark.parametrize("given", ["x", "-1", "4294967296", "other.example=1", f"{ZONE}="])
def test_what_is_no_serial_is_refused(given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = ["dns", "export", "--stack", "single-node", "--to", str(tmp_path / "zones"), f"--served={given}"]
    assert main(to) == 1
    assert f"--served {given}: " in capsys.readouterr().err


def test_tickets_are_printed_as_one_page(capsys: pytest.CaptureFixture[str]) -> None:
    settings, _ = StackFile.read("cluster").settings()
    assert main(["dns", "tickets", "--stack", "cluster"]) == 0
    page = capsys.readouterr().out
    assert all(f"### {ticket.id}\n" in page for ticket in tickets(settings))
    assert "### sheet example.com" in page


def test_the_reference_page_has_a_row_for_every_type_and_kind_of_text() -> None:
    page = (ROOT / "docs" / "reference" / "dns.md").read_text()
    records = every_record(stack())
    assert {r.type for r in records if f" {r.type} " not in page.replace(",", " ")} <= {"CNAME"}
    kinds = {kind(record) for record in records if record.type == "TXT"}
    assert {found for found in kinds if f"`{found}" not in page} == set()
