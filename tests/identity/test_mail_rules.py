"""What would make mail bounce is refused at preview, with the key to change."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from model.findings import Finding
from model.identity import plan, records
from model.rules import check
from tests.identity.keys import elliptic, public
from tests.identity.stacks import findings, rules, selectors, stack


def only(rule: str, **changes: Any) -> Finding:
    """The one finding of `rule` after these changes."""
    found = [f for f in findings(stack(**changes)) if f.rule == rule]
    assert len(found) == 1, [str(f) for f in findings(stack(**changes))]
    return found[0]


def test_the_full_stack_has_no_error() -> None:
    assert [f for f in findings(stack()) if f.severity == "error"] == []


def test_live_without_an_active_key_is_refused() -> None:
    found = only("live-without-dkim", mail__dkim__selectors=selectors(a="published"))
    assert (found.severity, found.path) == ("error", "kolab:mail.mx.stage")


def test_live_without_postmaster_is_refused() -> None:
    assert only("live-without-postmaster", mail__postmaster=None).path == "kolab:mail.postmaster"


def test_the_stacks_own_issuer_needs_cloudflare_for_its_proofs() -> None:
    elsewhere = {"provider": "zonefile", "zones": {"kolabtest.eu": ""}}
    own = {"issuer": "acme", "email": "jane@kolabtest.eu"}
    change = {"example": False, "domain": "kolabtest.eu", "dns": elsewhere, "tls": own}
    found = only("acme-elsewhere", **change)
    assert (found.severity, found.path) == ("error", "kolab:tls.issuer")
    assert "acme-elsewhere" not in rules(stack())


def test_self_signed_certificates_are_questioned_once_people_come() -> None:
    assert only("self-signed-live", tls={"issuer": "selfSigned"}).severity == "warning"
    held = stack(tls={"issuer": "selfSigned"}, mail__mx={"stage": "hold"})
    assert "self-signed-live" not in rules(held)


def test_a_certificate_for_a_domain_that_is_not_hosted_is_refused() -> None:
    tls = {"issuer": "secrets", "proxy": "web", "mx": "mx", "sieve": "sieve"}
    found = only("tls-domain-unknown", tls={**tls, "domains": {"else.example": "theirs"}})
    assert (found.severity, found.path) == ("error", "kolab:tls.domains.else.example")
    assert "tls-domain-unknown" not in rules(stack(tls={**tls, "domains": {"example.net": "theirs"}}))


@pytest.mark.parametrize(
    ("spam", "refused"),
    [
        ({"quarantineAt": 6.1}, True),
        ({"quarantineAt": 6.2}, False),
        ({"markAt": 8, "quarantineAt": 7}, True),
        ({"markAt": 3, "quarantineAt": 7}, False),
        ({"markAt": 50}, False),
    ],
)
def test_what_is_kept_from_people_counts_as_spam(spam: dict[str, float], refused: bool) -> None:
    changed = stack(mail__spam=spam)
    assert ("quarantine-below-mark" in rules(changed)) is refused
    if refused:
        assert only("quarantine-below-mark", mail__spam=spam).path == "kolab:mail.spam.quarantineAt"


def test_hold_needs_neither() -> None:
    held = stack(mail__mx={"stage": "hold"}, mail__postmaster=None, mail__dkim__selectors={}, mail__dmarc={})
    assert not {"live-without-dkim", "live-without-postmaster"} & rules(held)


@pytest.mark.parametrize(
    ("keys", "rule", "path"),
    [
        (selectors(a="active", b="active"), "dkim-two-active", "kolab:mail.dkim.selectors"),
        (
            {"a": {"stage": "active", "publicKey": public("weak", 1024), "since": "2026-01-01"}},
            "dkim-short-key",
            "kolab:mail.dkim.selectors.a.publicKey",
        ),
        (
            {"a": {"stage": "active", "publicKey": elliptic(), "since": "2026-01-01"}},
            "dkim-not-a-key",
            "kolab:mail.dkim.selectors.a.publicKey",
        ),
        (
            {"a": {"stage": "active", "publicKey": public("a"), "since": "2026-02-30"}},
            "dkim-since",
            "kolab:mail.dkim.selectors.a.since",
        ),
        (
            {
                k: {"stage": s, "publicKey": public("a"), "since": "2026-01-01"}
                for k, s in (("a", "active"), ("b", "staged"))
            },
            "dkim-key-reused",
            "kolab:mail.dkim.selectors.b.publicKey",
        ),
    ],
)
def test_keys_that_receivers_would_not_accept_are_refused(keys: dict[str, Any], rule: str, path: str) -> None:
    found = only(rule, mail__dkim__selectors=keys)
    assert (found.severity, found.path) == ("error", path)


def test_enforce_with_self_signed_certificates_is_refused_and_testing_is_a_warning() -> None:
    assert only("mta-sts-untrusted", tls={"issuer": "selfSigned"}).severity == "error"
    testing = only("mta-sts-untrusted", tls={"issuer": "selfSigned"}, mail__mtaSts={"stage": "testing"})
    assert testing.severity == "warning"


def test_an_issuer_that_nobody_vouches_for_is_a_warning_under_mta_sts() -> None:
    assert only("mta-sts-issuer", tls={"issuer": "existing", "name": "corporate"}).path == "kolab:tls.caa"
    assert "mta-sts-issuer" not in rules(
        stack(tls={"issuer": "existing", "name": "le", "caa": "letsencrypt.org"})
    )


def test_removal_says_since_when() -> None:
    assert only("mta-sts-since", mail__mtaSts={"stage": "removing"}).severity == "error"
    assert "mta-sts-since" not in rules(stack(mail__mtaSts={"stage": "removing", "since": "2026-11-01"}))


def test_the_linter_says_why_there_is_no_tlsa() -> None:
    assert only("tlsa-unsigned", dns__dnssec=False).path == "kolab:dns.dnssec"
    assert only("tlsa-missing", tlsa=None).path == "kolab:tlsa"
    assert only("tlsa-same", tlsa={"current": "a" * 64, "next": "a" * 64}).severity == "error"


@pytest.mark.parametrize(
    ("tls", "rule"),
    [
        ({"caa": "digicert.com"}, "caa-forbids-issuer"),
        ({"accountUri": "https://other.example/acct/1"}, "caa-account"),
    ],
)
def test_caa_that_would_stop_the_next_renewal_is_refused(tls: dict[str, str], rule: str) -> None:
    values = {"issuer": "acme", "email": "admin@example.org", **tls}
    assert rule in rules(stack(tls=values))


def test_reports_to_a_host_that_takes_no_mail_are_refused() -> None:
    found = only("address-at-host", mail__dmarc={"rua": ["a@example.org", "b@mx.example.org"]})
    assert found.path == "kolab:mail.dmarc.rua[1]"


def test_reports_to_a_stranger_need_his_consent() -> None:
    found = only("dmarc-consent", mail__dmarc={"rua": ["dmarc@reports.example"]})
    assert found.severity == "warning"
    assert "example.org._report._dmarc.reports.example" in found.fix
    assert "dmarc-consent" not in rules(stack(mail__dmarc={"rua": ["a@example.net"]}))


def test_a_strict_policy_on_hold_is_a_warning() -> None:
    held: dict[str, Any] = {"mail__mx": {"stage": "hold"}}
    for key in ("policy", "subdomainPolicy", "nonexistentPolicy"):
        found = only("dmarc-on-hold", **held, mail__dmarc={key: "reject"})
        assert (found.severity, found.path) == ("warning", f"kolab:mail.dmarc.{key}")


def test_spf_that_does_not_fit_an_answer_is_refused() -> None:
    many = [f"203.0.{n}.7" for n in range(40)]
    found = only("spf-size", network__egress={"mode": "gateway", "addresses": many}, dns__ptr=None)
    assert found.path == "kolab:network.egress"


def test_an_include_of_ourselves_is_refused() -> None:
    relay = {"mode": "relay", "host": "relay.example", "spfInclude": "example.org"}
    found = [f for f in findings(stack(network__egress=relay)) if f.rule == "spf-evaluation"]
    assert found
    assert all(f.severity == "error" for f in found)


def test_a_host_that_shares_the_helo_name_but_not_its_addresses_is_refused() -> None:
    found = only("host-two-places", hosts={"helo": "mx.example.org"})
    assert found.path == "kolab:hosts.helo"


@pytest.mark.parametrize(
    ("hosts", "path"),
    [
        ({"mx": "mail.example.org"}, "kolab:hosts.mx"),
        ({"mx": "mx.example.org", "helo": "mx.example.org"}, "kolab:hosts.helo"),
        ({"helo": "imap.example.org", "turn": "mail.example.org"}, "kolab:hosts.helo"),
        (
            {"helo": "imap.example.org", "turn": "mail.example.org", "sieve": "out.example.org"},
            "kolab:hosts.helo",
        ),
        ({"imap": "mail.example.org", "mx": "in.example.org"}, "kolab:hosts.imap"),
        ({"website": "mail.example.org"}, "kolab:hosts.website"),
    ],
    ids=str,
)
def test_the_name_that_is_proposed_is_none_that_is_taken(hosts: dict[str, str], path: str) -> None:
    made = stack(hosts=hosts)
    taken = {record.name for record in records(made)}
    said = [found for found in findings(made) if found.rule == "host-two-places"]
    assert [found.path for found in said] == [path]
    assert said[0].fix.rpartition(" ")[2] not in taken


def test_a_host_in_a_place_that_owners_make_an_alias_is_refused() -> None:
    assert "dns-target-alias" in rules(stack(hosts={"imap": "mta-sts.xn--mnchen-3ya.example"}))


def test_names_that_do_not_fit_into_dns_are_refused_with_the_domain_to_blame() -> None:
    long = ".".join(["a" * 60] * 4)[:235] + ".example"
    found = [f for f in findings(stack(hostedDomains=[long])) if f.rule == "dns-name-too-long"]
    assert found
    assert {f.path for f in found} == {"kolab:hostedDomains[0]"}


def test_a_stack_without_a_zone_for_its_domain_is_refused() -> None:
    assert only("zone-missing", dns__zones={"example.net": ""}).path == "kolab:dns.zones"


def test_cloudflare_needs_zone_ids() -> None:
    found = [f for f in findings(stack(dns__provider="cloudflare")) if f.rule == "zone-without-id"]
    assert {f.path for f in found} == {"kolab:dns.zones.example.org", "kolab:dns.zones.example.net"}


def test_foreign_domains_are_named_and_selectors_to_come_are_asked_for() -> None:
    assert "xn--mnchen-3ya.example" in only("domain-foreign").problem
    keys = {"dkim": {"selectors": selectors(a="active")}}
    found = stack(mail={"mx": {"stage": "live"}, "postmaster": "admin@example.org", **keys})
    assert "dkim-nothing-reserved" in rules(found)
    assert "dkim-nothing-reserved" not in rules(stack())


def test_zone_files_without_servers_are_a_warning_in_a_real_stack_only() -> None:
    assert "nameservers-unknown" not in rules(stack(dns__nameservers={}))
    assert only("nameservers-unknown", dns__nameservers={}, example=False).severity == "warning"


def test_a_server_inside_its_own_zone_needs_an_address() -> None:
    found = only("nameserver-without-address", dns__nameservers={"ns1.example.net": []})
    assert found.path == "kolab:dns.nameservers.ns1.example.net"


def test_reverse_zones_must_be_ones_and_hold_the_addresses() -> None:
    zones = {"2.0.192.in-addr.arpa": "", "example.org": ""}
    found = findings(stack(dns__ptr={"provider": "zones", "zones": zones}))
    assert [f.path for f in found if f.rule == "ptr-zone-name"] == ["kolab:dns.ptr.zones.example.org"]
    assert sum(f.rule == "ptr-elsewhere" for f in found) == 3


@pytest.mark.parametrize(
    "zone", ["0-300.2.0.192.in-addr.arpa", "8/28.2.0.192.in-addr.arpa", "a.0.192.in-addr.arpa"]
)
def test_a_child_zone_that_has_no_address_is_refused(zone: str) -> None:
    found = findings(stack(dns__ptr={"provider": "zones", "zones": {zone: ""}}))
    assert [f.path for f in found if f.rule == "ptr-zone-name"] == [f"kolab:dns.ptr.zones.{zone}"]


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("03.100.51.198.in-addr.arpa", "3.100.51.198.in-addr.arpa"),
        ("100.051.198.in-addr.arpa", "100.51.198.in-addr.arpa"),
        ("00.10.in-addr.arpa", "0.10.in-addr.arpa"),
        ("0-15.02.00.192.in-addr.arpa", "0-15.2.0.192.in-addr.arpa"),
    ],
)
def test_a_zone_with_zeros_in_front_of_a_number_is_refused_with_the_name_that_is_asked_for(
    zone: str, meant: str
) -> None:
    found = findings(stack(dns__ptr={"provider": "zones", "zones": {zone: ""}}))
    said = [f for f in found if f.path == f"kolab:dns.ptr.zones.{zone}"]
    assert [(f.rule, f.severity) for f in said] == [("ptr-zone-zeros", "error")]
    assert f"write {meant}." in str(said[0])


@pytest.mark.parametrize(
    "zone",
    [
        "0.192.in-addr.arpa",
        "100.51.198.in-addr.arpa",
        "00-15.100.51.198.in-addr.arpa",
        "0.0.0.0.1.0.0.2.ip6.arpa",
    ],
)
def test_a_zero_that_is_a_number_or_part_of_a_label_of_ones_own_is_none_in_front(zone: str) -> None:
    found = findings(stack(dns__ptr={"provider": "zones", "zones": {zone: ""}}))
    assert not [f for f in found if f.rule in ("ptr-zone-zeros", "ptr-zone-name")]


def test_a_label_with_zeros_is_right_where_the_stack_file_says_whose_names_lie_below_it() -> None:
    zone = "03.100.51.198.in-addr.arpa"
    ptr = {"provider": "zones", "zones": {zone: ""}, "networks": {zone: "198.51.100.3/32"}}
    found = findings(stack(dns__ptr=ptr))
    assert not [f for f in found if f.rule in ("ptr-zone-zeros", "ptr-zone-name")]


def test_a_zone_elsewhere_says_its_addresses_in_the_stack_file() -> None:
    ptr = {
        "provider": "zones",
        "zones": {"rev.example.com": ""},
        "networks": {"rev.example.com": "198.51.100.0/28"},
    }
    found = findings(stack(dns__ptr=ptr))
    assert not {"ptr-zone-name", "ptr-network", "ptr-network-elsewhere"} & {f.rule for f in found}


@pytest.mark.parametrize(
    ("network", "rule"), [("198.51.0.0/16", "ptr-network"), ("2001:db8::/32", "ptr-network")]
)
def test_a_network_that_is_no_part_of_one_of_256_addresses_is_refused(network: str, rule: str) -> None:
    ptr = {"provider": "zones", "zones": {"rev.example.com": ""}, "networks": {"rev.example.com": network}}
    assert only(rule, dns__ptr=ptr).path == "kolab:dns.ptr.networks.rev.example.com"


def test_reverse_names_in_a_zone_of_nobody_are_refused() -> None:
    ptr = {
        "provider": "zones",
        "zones": {"100.51.198.in-addr.arpa": ""},
        "networks": {"r.example": "192.0.2.0/24"},
    }
    assert only("ptr-network-elsewhere", dns__ptr=ptr).path == "kolab:dns.ptr.networks.r.example"


@pytest.mark.parametrize("zone", ["26.35.198.in-addr.arpa", "26.35.198.IN-ADDR.ARPA."])
@pytest.mark.parametrize("kind", ["forward", "reverse"])
def test_every_zone_at_cloudflare_needs_its_id(zone: str, kind: str) -> None:
    zones = {"example.org": "0" * 32, "EXAMPLE.net.": "" if kind == "forward" else "0" * 32}
    ptr = {"provider": "zones", "zones": {zone: "" if kind == "reverse" else "0" * 32}}
    rule = "zone-without-id" if kind == "forward" else "reverse-zone-without-id"
    found = only(rule, dns={"provider": "cloudflare", "zones": zones, "ptr": ptr})
    key = "zones.example.net" if kind == "forward" else "ptr.zones.26.35.198.in-addr.arpa"
    assert found.path == f"kolab:dns.{key}"


def test_every_zone_has_its_id_however_it_is_written() -> None:
    zones = {"Example.ORG.": "0" * 32, "example.net": "0" * 32}
    reverse = {"0-15.100.51.198.IN-addr.arpa.": "1" * 32}
    found = stack(
        dns={"provider": "cloudflare", "zones": zones, "ptr": {"provider": "zones", "zones": reverse}}
    )
    assert set(plan(found).zones) == set(found.dns.zone_ids)


@pytest.mark.parametrize("key", ["zones", "ptr"])
def test_a_zone_that_is_written_in_two_ways_is_refused(key: str) -> None:
    twice = {"2.0.192.in-addr.arpa": "", "2.0.192.IN-ADDR.ARPA.": ""}
    dns: dict[str, Any] = (
        {"zones": twice} if key == "zones" else {"ptr": {"provider": "zones", "zones": twice}}
    )
    with pytest.raises(ValidationError, match=r"names 2\.0\.192\.in-addr\.arpa twice"):
        stack(dns=dns)


def test_hosts_in_unknown_zones_are_a_warning_with_their_key() -> None:
    found = only("host-elsewhere", hosts={"turn": "turn.elsewhere.example"})
    assert (found.severity, found.path) == ("warning", "kolab:hosts.turn")


def test_warnings_can_be_acknowledged_and_errors_cannot() -> None:
    accepted = [
        {"rule": "domain-foreign", "reason": "the owner has the sheet"},
        {"rule": "live-without-postmaster", "reason": "nobody reads it anyway"},
    ]
    found = {f.rule for f in check(stack(acknowledge=accepted, mail__postmaster=None))}
    assert "domain-foreign" not in found
    assert "live-without-postmaster" in found
