"""A resolver that validates, and checkdmarc behind it, say of served zones what the program says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkdmarc.dmarc
import checkdmarc.mta_sts
import checkdmarc.smtp_tls_reporting
import checkdmarc.spf
import checkdmarc.utils
import dns.flags
import dns.rcode
import pytest

from model.identity import mta_sts, records, spf, zone_file, zones
from model.identity.answers import Answers
from model.identity.rdata import parse_value
from model.settings import Settings
from ops.dns import existing_conflicts
from ops.lookup import text_of
from tests.identity.stacks import stack
from tests.support.nameserver import serving
from tests.support.resolver import Resolver, signed, unbound

pytestmark = pytest.mark.thorough

DOMAIN, HOSTED = "example.org", "example.net"
PLAIN: dict[str, Any] = {
    "hostedDomains": [HOSTED],
    "dns__zones": {DOMAIN: "", HOSTED: ""},
    "dns__ptr": {"provider": "manual"},
}
SERVICE = "sends.example"
OTHERS = {
    SERVICE: f"$ORIGIN {SERVICE}.\n@ 60 SOA ns.{DOMAIN}. h.{SERVICE}. 1 60 60 60 60\n@ 60 NS ns1.{DOMAIN}.\n"
    '@ 60 TXT "v=spf1 include:in.sends.example -all"\nin 60 TXT "v=spf1 ip4:203.0.113.0/28 -all"\n'
}
STACKS: Mapping[str, dict[str, Any]] = {
    "live": {},
    "hold": {"mail__mx": {"stage": "hold"}},
    "reports elsewhere": {
        "mail__dmarc": {"policy": "reject", "rua": [f"d@{HOSTED}"], "ruf": [f"f@{DOMAIN}"], "fo": "1"}
    },
    "other senders": {
        "mail__senders": {"includes": [SERVICE], "networks": ["203.0.113.64/26"], "counted": {SERVICE: 1}}
    },
    "several servers": {
        "mail__mx": {"stage": "live", "others": [{"host": "backup.sends.example", "preference": 50}]},
        "domains": {HOSTED: {"stage": "shadow", "otherMx": [{"host": "old.sends.example", "preference": 5}]}},
    },
    "a domain below": {
        "hostedDomains": [HOSTED, f"lists.{DOMAIN}"],
        "domains": {
            f"lists.{DOMAIN}": {
                "dmarc": {"policy": "none"},
                "mtaSts": {"stage": "testing", "since": "2026-01-01"},
            }
        },
    },
}


@dataclass(frozen=True)
class Served:
    """A stack whose signed zones are served."""

    settings: Settings
    resolver: Resolver


@pytest.fixture(scope="module", params=STACKS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The address of turn. has been tampered with after the zone was signed."""
    folder = tmp_path_factory.mktemp("signed")
    settings = stack(**{**PLAIN, **STACKS[request.param]})
    texts, trusted = {}, ""
    for zone, planned in zones(settings).items():
        texts[zone], anchor = signed(folder / "keys", zone, zone_file(settings, zone, planned))
        trusted += anchor
    turn = next(str(r.value) for r in records(settings) if (r.name, r.type) == (f"turn.{DOMAIN}", "A"))
    texts[DOMAIN] = texts[DOMAIN].replace(turn, "203.0.113.66", 1)
    with (
        serving(folder / "named", {**texts, **OTHERS}) as server,
        unbound(folder / "unbound", server.port, (*texts, *OTHERS), trusted) as resolver,
    ):
        yield Served(settings, resolver)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    checkdmarc.utils.DNS_CACHE.clear()


def test_every_record_is_served_and_signed_as_the_program_says(served: Served) -> None:
    planned: dict[tuple[str, str], set[str]] = {}
    for found in zones(served.settings).values():
        for record in found:
            planned.setdefault((record.name, record.type), set()).add(record.content)
    planned.pop((f"turn.{DOMAIN}", "A"))
    assert len(planned) > 30
    for (name, kind), contents in planned.items():
        answer = served.resolver.ask(name, kind)
        assert answer.flags & dns.flags.AD, (name, kind, dns.rcode.to_text(answer.rcode()))
        texts = [text_of(rdata) for rrset in answer.answer if rrset.rdtype.name == kind for rdata in rrset]
        assert {str(parse_value(kind, text)) for text in texts} == contents, (name, kind)


def test_what_is_not_published_is_proved_to_be_absent(served: Served) -> None:
    for name, kind in (
        (f"k9._domainkey.{DOMAIN}", "TXT"),
        (f"pop.{HOSTED}", "A"),
        (f"imap.{DOMAIN}", "AAAA"),
        (f"_443._tcp.mx.{DOMAIN}", "TLSA"),
    ):
        answer = served.resolver.ask(name, kind)
        assert not answer.answer
        assert answer.flags & dns.flags.AD, name


def test_what_somebody_has_changed_on_the_way_is_believed_by_nobody(served: Served) -> None:
    assert served.resolver.ask(f"turn.{DOMAIN}", "A").rcode() == dns.rcode.SERVFAIL


def test_checkdmarc_counts_the_lookups_of_spf_that_the_program_counts(served: Served) -> None:
    for domain in served.settings.domains:
        found = checkdmarc.spf.check_spf(domain, resolver=served.resolver.stub)
        assert found["valid"], found
        assert found["dns_lookups"] == spf.lookups(served.settings, domain)
        assert found["void_dns_lookups"] == 0


def test_checkdmarc_reads_the_policy_that_the_program_names_and_every_report_is_agreed_to(
    served: Served,
) -> None:
    for domain in served.settings.domains:
        found: Any = checkdmarc.dmarc.check_dmarc(domain, resolver=served.resolver.stub)
        wanted = served.settings.dmarc_of(domain)
        assert found["valid"], found
        # On hold the server before this one has the MX, and nobody serves its records here.
        taking = domain in served.settings.taking
        assert not [w for w in found["warnings"] if "does not indicate" in w or (taking and "report" in w)]
        assert (found["location"], found["tags"]["p"]["value"]) == (domain, wanted.policy)
        read = {address["address"] for address in found["tags"].get("rua", {}).get("value", ())}
        assert read >= set(wanted.rua)


def test_checkdmarc_reads_the_policies_of_tls_where_the_program_has_them(served: Served) -> None:
    answers, stub = Answers(records(served.settings)), served.resolver.stub
    for domain in served.settings.domains:
        reports: Any = checkdmarc.smtp_tls_reporting.check_smtp_tls_reporting(domain, resolver=stub)
        assert reports["valid"] == bool(answers.text(f"_smtp._tls.{domain}", "v=TLSRPTv1")), reports
        body = mta_sts.policy(served.settings, domain)
        assert bool(body) == bool(answers.text(f"_mta-sts.{domain}", "v=STSv1"))
        if body:
            record = checkdmarc.mta_sts.query_mta_sts_record(domain, resolver=stub)["record"]
            tags: Any = checkdmarc.mta_sts.parse_mta_sts_record(record)["tags"]
            assert tags["id"] == mta_sts.policy_id(body)
            policy: Any = checkdmarc.mta_sts.parse_mta_sts_policy(body.decode())
            assert set(policy["policy"]["mx"]) == {v.exchange for v in answers.ask(domain, "MX")}  # type: ignore[union-attr]


FAULTS = {
    "a second SPF record": (DOMAIN, "TXT", '"v=spf1 include:sends.example -all"'),
    "a second SPF record in capitals": (HOSTED, "TXT", '"V=SPF1 -all"'),
    "a second DMARC record": (f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=none"'),
    "a second TLS-RPT record": (f"_smtp._tls.{DOMAIN}", "TXT", '"v=TLSRPTv1; rua=mailto:a@sends.example"'),
    "a second MTA-STS record": (f"_mta-sts.{DOMAIN}", "TXT", '"v=STSv1; id=1;"'),
    "no SPF record": (DOMAIN, "TXT", '"v=spf10 -all"'),
    "somebody's token": (DOMAIN, "TXT", '"site-verification=v=spf1"'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_compare_calls_in_the_way_is_what_checkdmarc_calls_invalid(tmp_path: Path, fault: str) -> None:
    settings = stack(**PLAIN, mail__mtaSts={"stage": "testing", "since": "2026-01-01"})
    texts = {zone: zone_file(settings, zone, found) for zone, found in zones(settings).items()}
    name, kind, value = FAULTS[fault]
    zone = HOSTED if name.endswith(HOSTED) else DOMAIN
    texts[zone] += f"{name}. 60 {kind} {value}\n"
    with (
        serving(tmp_path / "named", {**texts, **OTHERS}) as server,
        unbound(tmp_path / "unbound", server.port, (*texts, *OTHERS)) as resolver,
    ):
        said = [found for found in existing_conflicts(settings, [server.given]) if found.severity == "error"]
        stub = resolver.stub
        checks: list[Any] = [
            checkdmarc.spf.check_spf(zone, resolver=stub),
            checkdmarc.dmarc.check_dmarc(zone, resolver=stub),
            checkdmarc.smtp_tls_reporting.check_smtp_tls_reporting(zone, resolver=stub),
            {"valid": _has_a_policy(zone, stub)},
        ]
        assert bool(said) == (not all(found["valid"] for found in checks)), (said, checks)


def _has_a_policy(zone: str, stub: Any) -> bool:
    try:
        return bool(checkdmarc.mta_sts.query_mta_sts_record(zone, resolver=stub))
    except checkdmarc.mta_sts.MTASTSError:
        return False
