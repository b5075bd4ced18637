"""Any stack file yields zones that load, or findings that name the key: never a clash that nobody reported."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable

import dns.zone
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from model.identity import Record, cname_sheet, held_back, parse, plan, records, zone_file, zones
from model.identity.rdata import ROOT, TXT
from model.identity.zonefile import serial
from model.settings import Settings
from tests.identity.stacks import FOREIGN, findings, stack
from tests.identity.strategies import settings

SLOW = examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def clashes(found: Iterable[Record]) -> list[str]:
    """What DNS servers or receivers refuse about these records, judged without the code under test."""
    names: dict[str, list[Record]] = defaultdict(list)
    for record in found:
        names[record.name].append(record)
    problems = []
    for name, here in names.items():
        types = {r.type for r in here}
        texts = [r.value.text.split(";")[0].split(" ")[0] for r in here if isinstance(r.value, TXT)]
        if len(name) > 253 or any(len(label) > 63 for label in name.split(".")):
            problems.append(f"{name} is too long")
        if "CNAME" in types and len(here) > 1:
            problems.append(f"{name} has a CNAME beside others")
        if any(texts.count(kind) > 1 for kind in texts if kind.startswith("v=")):
            problems.append(f"{name} has two TXT of one kind")
        exchanges = [r.target for r in here if r.type == "MX"]
        if ROOT in exchanges and len(exchanges) > 1:
            problems.append(f"{name} has a null MX beside a real one")
        if len({r.content for r in here if r.type == "SRV"}) > 1:
            problems.append(f"{name} has two SRV")
    return problems


@SLOW
@given(settings())
def test_a_clash_is_always_a_finding_with_its_key(generated: Settings) -> None:
    found = findings(generated)
    assert all(f.path.startswith("kolab:") and f.problem and f.fix and not f.fix.endswith(".") for f in found)
    if not any(f.severity == "error" for f in found):
        for where in (*plan(generated).zones.values(), *plan(generated).sheets.values()):
            assert clashes(where) == []


@SLOW
@given(settings())
def test_every_record_has_exactly_one_publisher(generated: Settings) -> None:
    places = plan(generated)
    everything = [
        r for found in (*places.zones.values(), *places.sheets.values(), places.elsewhere) for r in found
    ]
    assert len(set(everything)) == len(everything)
    assert sorted(map(str, everything)) == sorted(map(str, records(generated)))
    for zone, found in places.zones.items():
        assert all(r.name == zone or r.name.endswith(f".{zone}") for r in found)
    for domain, rows in places.sheets.items():
        assert all(r.name == domain or r.name.endswith(f".{domain}") for r in rows)


@SLOW
@given(settings())
def test_an_independent_parser_reads_the_same_records_from_every_zone_file(generated: Settings) -> None:
    if any(f.severity == "error" for f in findings(generated)):
        return
    for zone, found in zones(generated).items():
        text = zone_file(generated, zone, found)
        theirs = dns.zone.from_text(text, origin=zone, relativize=False)
        read = {
            parse(f"{name.to_text()} {rdataset.ttl} IN {rdata.rdtype.name} {rdata.to_text()}")
            for name, node in theirs.nodes.items()
            for rdataset in node
            for rdata in rdataset
            if rdata.rdtype.name not in ("SOA", "NS")
        }
        servers = {r for r in read if r.name in generated.dns.nameservers and r.type in ("A", "AAAA")}
        assert read - servers == set(found) - servers


def test_the_same_stack_gives_the_same_files() -> None:
    first, second = stack(), stack()
    assert {z: zone_file(first, z, r) for z, r in zones(first).items()} == {
        z: zone_file(second, z, r) for z, r in zones(second).items()
    }


def test_on_hold_nothing_leads_mail_or_mail_clients_here() -> None:
    held = stack(mail__mx={"stage": "hold"})
    for record in records(held):
        assert record.type != "MX" or record.target == ROOT
        assert record.type != "SRV"
        assert not record.name.startswith(("_mta-sts.", "autodiscover.", "autoconfig."))
    kinds = {r.type for r in records(held)}
    assert {"A", "TXT", "CAA", "TLSA", "PTR"} <= kinds


def test_what_hold_keeps_back_is_exactly_what_live_adds() -> None:
    held = stack(mail__mx={"stage": "hold"})
    # Until then neither SPF nor np= judges: the server before this one still sends.
    neutral = {r for r in records(held) if r.type == "TXT"} - {*records(stack())}
    assert {r.value.text.partition(" ")[0] for r in neutral if isinstance(r.value, TXT)} == {
        "v=spf1",
        "v=DMARC1;",
    }
    assert {*records(held), *held_back(held)} - neutral == set(records(stack()))
    assert any(r.type == "MX" and r.name == "example.org" for r in held_back(held))
    assert held_back(stack()) == []


def test_the_sheet_of_a_foreign_domain_is_cnames_but_for_what_stands_at_the_domain_itself() -> None:
    rows = cname_sheet(stack())[FOREIGN]
    direct = [row for row in rows if row.type != "CNAME"]
    assert {row.name for row in direct} == {FOREIGN}
    assert sorted(row.type for row in direct) == ["MX", "TXT", "TXT"]
    spf = next(row for row in direct if "spf1" in row.content)
    assert spf.content == '"v=spf1 include:_spf.example.org ~all"'
    assert len({row.name for row in rows if row.type == "CNAME"}) == len(rows) - len(direct)


def test_the_sheet_holds_the_places_of_certificates_and_of_selectors_to_come() -> None:
    names = {row.name for row in cname_sheet(stack())[FOREIGN]}
    assert f"_acme-challenge.mta-sts.{FOREIGN}" in names
    assert {f"{selector}._domainkey.{FOREIGN}" for selector in ("k0", "k1", "k2", "k3", "k4")} <= names


def test_rotation_policies_and_addresses_change_without_the_owner_of_a_foreign_domain() -> None:
    before = cname_sheet(stack(mail__mtaSts={"stage": "none"}))[FOREIGN]
    changed = stack(
        mail__dkim__selectors={},
        mail__dkim__reserved=["k0", "k1", "k2", "k3", "k4"],
        mail__dmarc={"policy": "reject"},
        mail__mtaSts={"stage": "enforce"},
        network__egress={"mode": "gateway", "addresses": ["203.0.113.7"]},
        network__public={"10.0.0.11": "203.0.113.8"},
    )
    assert cname_sheet(changed)[FOREIGN] == before


def test_every_cname_of_a_live_sheet_leads_to_a_record_or_to_a_promised_place() -> None:
    found = stack()
    names = {record.name for record in records(found)}
    for row in cname_sheet(found)[FOREIGN]:
        if row.type == "CNAME" and not row.name.startswith("_acme-challenge."):
            promised = row.name.startswith(("k3.", "k4."))
            assert (row.target in names) != promised, row


def test_no_record_of_ours_touches_the_apex_addresses_of_a_hosted_domain() -> None:
    for record in records(stack()):
        assert not (record.name in ("example.net", FOREIGN) and record.type in ("A", "AAAA", "CAA", "CNAME"))


def test_an_rfc2317_child_zone_takes_the_addresses_of_its_range_only() -> None:
    ours = stack(dns__ptr={"provider": "zones", "zones": {"0/29.100.51.198.in-addr.arpa": ""}})
    found = zones(ours)["0/29.100.51.198.in-addr.arpa"]
    assert [r.name for r in found] == ["3.0/29.100.51.198.in-addr.arpa"]
    assert [r.name for r in plan(ours).elsewhere if r.name.endswith("in-addr.arpa")] == [
        "9.100.51.198.in-addr.arpa"
    ]


def test_the_serial_depends_on_the_records_alone() -> None:
    assert serial("a") == serial("a")
    assert serial("a") != serial("b")


def test_a_serial_after_a_served_one_is_later_in_serial_arithmetic() -> None:
    for served in (0, 1, 2**31 - 1, 2**31, 2**32 - 1):
        for body in ("a", "b", "c"):
            assert 0 < (serial(body, served) - served) % 2**32 < 2**31


@pytest.mark.thorough
def test_a_thousand_hosted_domains_take_seconds_and_cost_the_same_each() -> None:
    def seconds(count: int) -> float:
        hosted = [f"d{n}.example" for n in range(count)]
        ours = dict.fromkeys(["example.org", *hosted[: count // 2]], "")
        many = stack(hostedDomains=hosted, dns__zones=ours)
        start = time.process_time()
        for zone, found in zones(many).items():
            zone_file(many, zone, found)
        return time.process_time() - start

    seconds(10)
    hundred = min(seconds(100) for _ in range(3))
    thousand = seconds(1000)
    assert thousand < 10
    assert thousand / hundred < 10 * 2.5
