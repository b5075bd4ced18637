"""Each mechanism publishes what receivers need, and nothing that harms."""

from __future__ import annotations

import hashlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.identity import dkim, hosts, mta_sts, ptr, records, spf, verify, zones
from model.identity.answers import Answers
from model.identity.mailto import address_of, mailto
from model.identity.rdata import MX, SRV
from model.identity.spf_check import evaluate
from tests.identity.keys import elliptic, public
from tests.identity.stacks import stack

RELAY = {"mode": "relay", "host": "relay.example", "spfInclude": "spf.relay.example"}


def answers(**changes: object) -> Answers:
    """The records of the full stack with changes."""
    return Answers(records(stack(**changes)))


def test_ipv6_is_published_only_for_the_daemon_that_listens_on_it() -> None:
    found = {host.name: host.addresses for host in hosts.hosts(stack())}
    assert found["mx.example.org"] == ("192.0.2.11", "2001:db8::11")
    assert [name for name, values in found.items() if any(":" in v for v in values)] == [
        "mx.example.org",
        "mail.example.org",
    ]


def test_the_helo_name_has_the_addresses_that_mail_leaves_from_and_never_the_inbound_ones() -> None:
    assert answers().addresses("mail.example.org") == ("198.51.100.3", "198.51.100.9", "2001:db8:1::3")


def test_web_names_point_to_the_ingress_controller_where_there_is_one() -> None:
    ingress = {
        "className": "nginx",
        "namespace": "web",
        "controllerCidr": "10.42.0.0/24",
        "addresses": "203.0.113.1",
    }
    found = answers(network__ingress=ingress)
    assert found.addresses("mta-sts.example.net") == found.addresses("example.org") == ("203.0.113.1",)
    assert found.addresses("imap.example.org") == ("192.0.2.10",)


def test_a_part_that_is_off_has_no_name() -> None:
    found = answers(features={"activesync": False, "turn": False})
    assert found.addresses("activesync.example.org") == ()
    assert found.addresses("turn.example.org") == ()


def test_every_host_without_mail_says_so_and_the_helo_name_may_still_bounce() -> None:
    found = answers()
    for host in hosts.hosts(stack()):
        if host.name in ("example.org", "mail.example.org") or host.name.endswith("xn--mnchen-3ya.example"):
            continue
        assert found.ask(host.name, "MX") == (MX(0, "."),)
        assert found.text(host.name, "v=spf1") == ("v=spf1 -all",)
    assert found.ask("mail.example.org", "MX") == ()
    assert found.text("mail.example.org", "v=spf1")[0].endswith(" -all")


def test_neighbouring_egress_addresses_become_one_network_with_exactly_these() -> None:
    many = [f"198.51.100.{n}" for n in range(8, 17)]
    assert spf.networks(many) == ("ip4:198.51.100.8/29", "ip4:198.51.100.16")


def test_a_relay_stands_in_for_our_addresses() -> None:
    found = answers(network__egress=RELAY, dns__ptr=None)
    assert found.text("example.org", "v=spf1") == ("v=spf1 include:spf.relay.example ~all",)
    assert found.addresses("mail.example.org") == ()
    assert not [r for r in records(stack(network__egress=RELAY)) if r.type == "PTR"]


def test_a_relay_that_nobody_can_name_gives_no_spf_rather_than_a_wrong_one() -> None:
    assert (
        answers(network__egress={"mode": "relay", "host": "relay.example"}).text("example.org", "v=spf1")
        == ()
    )


def test_an_announced_address_stands_everywhere_before_mail_leaves_from_it() -> None:
    found = answers(network__announcedEgress="198.51.100.14")
    assert "198.51.100.14" in found.addresses("mail.example.org")
    assert evaluate(found, "198.51.100.14", "example.net").result == "pass"
    assert found.ask("14.0-15.100.51.198.in-addr.arpa", "PTR")


@pytest.mark.parametrize(("bits", "name"), [(2048, "one"), (1024, "weak")])
def test_the_size_of_a_key_is_read_from_its_public_half(bits: int, name: str) -> None:
    assert dkim.bits(public(name, bits)) == bits


def test_what_is_no_rsa_key_is_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="RSA only"):
        dkim.bits(elliptic())
    for text in ("AAAA", "A", "MIIB"):
        with pytest.raises(ValueError, match="SubjectPublicKeyInfo"):
            dkim.bits(text)


def test_the_policy_is_crlf_text_whose_id_follows_its_bytes() -> None:
    body = mta_sts.shared(stack())
    assert body == b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 1209600\r\n"
    changed = mta_sts.shared(stack(mail__mtaSts={"stage": "testing"}))
    assert changed is not None
    assert mta_sts.policy_id(body) != mta_sts.policy_id(changed)
    assert mta_sts.policy_id(body) == hashlib.sha256(body).hexdigest()[:32]


def test_without_mta_sts_nothing_is_served_or_published() -> None:
    assert mta_sts.shared(stack(mail__mtaSts={"stage": "none"})) is None
    found = [r for r in records(stack(mail__mtaSts={"stage": "none"})) if r.name.startswith("_mta-sts.")]
    assert [r.type for r in found] == ["CNAME"]


def test_removal_serves_a_policy_that_says_none_for_a_day() -> None:
    body = mta_sts.shared(stack(mail__mtaSts={"stage": "removing", "since": "2026-11-01"}))
    assert body is not None
    assert b"mode: none\r\n" in body
    assert b"max_age: 86400\r\n" in body


def test_tlsa_names_the_current_and_the_next_key_and_only_in_a_signed_zone() -> None:
    found = [str(v) for v in answers().ask("_25._tcp.mx.example.org", "TLSA")]
    assert found == [f"3 1 1 {'a' * 64}", f"3 1 1 {'b' * 64}"]
    assert answers(dns__dnssec=False).ask("_25._tcp.mx.example.org", "TLSA") == ()


def test_services_are_offered_where_a_port_is_open_and_denied_where_none_is() -> None:
    found = answers()

    def srv(label: str) -> str:
        (value,) = found.ask(f"{label}._tcp.example.net", "SRV")
        assert isinstance(value, SRV)
        return str(value)

    assert srv("_imaps") == "0 1 993 imap.example.org."
    assert srv("_submissions") == "0 1 465 smtp.example.org."
    assert srv("_submission") == "10 1 587 smtp.example.org."
    assert srv("_sieve") == "0 1 4190 sieve.example.org."
    assert srv("_caldavs") == "0 1 443 example.org."
    assert found.text("_caldavs._tcp.example.net", "path=") == ("path=/dav/calendars/user",)
    for denied in ("_pop3", "_pop3s", "_caldav", "_carddav"):
        assert srv(denied) == "0 0 0 ."


def test_targets_of_mx_srv_and_ptr_are_hosts_with_addresses() -> None:
    found = answers()
    for record in records(stack()):
        if record.type in ("MX", "SRV", "PTR") and record.target != ".":
            assert record.target is not None
            assert found.alias(record.target) is None
            assert found.addresses(record.target), record


def test_caa_binds_our_names_to_authority_method_and_account_and_leaves_the_rest_of_a_domain_alone() -> None:
    found = {str(v) for v in answers().ask("mx.example.org", "CAA")}
    assert found == {
        '0 issue "letsencrypt.org; validationmethods=dns-01; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1"',
        '0 iodef "mailto:postmaster@example.org"',
    }
    assert answers().ask("example.net", "CAA") == ()


def test_no_caa_where_nobody_says_who_issues() -> None:
    assert not [r for r in records(stack(tls={"issuer": "selfSigned"})) if r.type == "CAA"]
    assert not [r for r in records(stack(tls={"issuer": "existing", "name": "corporate"})) if r.type == "CAA"]


@pytest.mark.parametrize(
    ("address", "zones", "name"),
    [
        ("192.0.2.10", (), "10.2.0.192.in-addr.arpa"),
        ("192.0.2.10", ("2.0.192.in-addr.arpa",), "10.2.0.192.in-addr.arpa"),
        ("192.0.2.10", ("0-15.2.0.192.in-addr.arpa",), "10.0-15.2.0.192.in-addr.arpa"),
        ("192.0.2.15", ("0-15.2.0.192.in-addr.arpa",), "15.0-15.2.0.192.in-addr.arpa"),
        ("192.0.2.16", ("0-15.2.0.192.in-addr.arpa",), "16.2.0.192.in-addr.arpa"),
        ("192.0.2.10", ("8/29.2.0.192.in-addr.arpa",), "10.8/29.2.0.192.in-addr.arpa"),
        ("192.0.2.16", ("8/29.2.0.192.in-addr.arpa",), "16.2.0.192.in-addr.arpa"),
        ("192.0.3.10", ("0-15.2.0.192.in-addr.arpa",), "10.3.0.192.in-addr.arpa"),
        ("192.0.2.10", ("0/25.2.0.192.in-addr.arpa",), "10.0/25.2.0.192.in-addr.arpa"),
        ("192.0.2.200", ("0/25.2.0.192.in-addr.arpa",), "200.2.0.192.in-addr.arpa"),
        ("192.0.2.200", ("128/25.2.0.192.in-addr.arpa",), "200.128/25.2.0.192.in-addr.arpa"),
        ("192.0.2.70", ("64-26.2.0.192.in-addr.arpa",), "70.64-26.2.0.192.in-addr.arpa"),
        ("192.0.2.128", ("64-26.2.0.192.in-addr.arpa",), "128.2.0.192.in-addr.arpa"),
        ("192.0.2.10", ("0_127.2.0.192.in-addr.arpa",), "10.0_127.2.0.192.in-addr.arpa"),
        ("192.0.2.10", ("revunr.2.0.192.in-addr.arpa",), "10.revunr.2.0.192.in-addr.arpa"),
        ("192.0.3.10", ("revunr.2.0.192.in-addr.arpa",), "10.3.0.192.in-addr.arpa"),
        ("192.0.2.10", ("10.2.0.192.in-addr.arpa",), "10.2.0.192.in-addr.arpa"),
        ("192.0.2.11", ("10.2.0.192.in-addr.arpa",), "11.2.0.192.in-addr.arpa"),
        ("192.0.2.10", ("0-300.2.0.192.in-addr.arpa",), "10.2.0.192.in-addr.arpa"),
        ("192.0.2.10", ("8/28.2.0.192.in-addr.arpa",), "10.2.0.192.in-addr.arpa"),
        (
            "192.0.2.10",
            ("a.2.0.192.in-addr.arpa", "0/28.2.0.192.in-addr.arpa"),
            "10.0/28.2.0.192.in-addr.arpa",
        ),
        ("192.0.2.10", ("rev.example.org",), "10.2.0.192.in-addr.arpa"),
    ],
)
def test_a_reverse_name_lies_in_the_child_zone_of_its_range(
    address: str, zones: tuple[str, ...], name: str
) -> None:
    assert ptr.reverse_name(address, zones) == name


@pytest.mark.parametrize(
    ("zone", "network"),
    [("revunr.2.0.192.in-addr.arpa", "192.0.2.0/25"), ("rev.example.org", "192.0.2.64/26")],
)
def test_a_zone_with_a_network_has_its_addresses_and_no_other(zone: str, network: str) -> None:
    held = ipaddress.IPv4Network(network)
    for address in ipaddress.IPv4Network("192.0.2.0/23"):
        plain = address.reverse_pointer
        expected = f"{plain.partition('.')[0]}.{zone}" if address in held else plain
        assert ptr.reverse_name(str(address), (zone,), {zone: held}) == expected


@given(st.integers(0, 255), st.integers(24, 32), st.sampled_from("-/_"), st.booleans())
def test_a_child_zone_never_takes_an_address_outside_of_its_range(
    octet: int, length: int, mark: str, by_length: bool
) -> None:
    size = 2 ** (32 - length)
    first = octet // size * size
    second = length if by_length and (mark == "/" or first > length) else first + size - 1
    if mark == "/" and not by_length:
        return
    zone = f"{first}{mark}{second}.2.0.192.in-addr.arpa"
    taken = [n for n in range(256) if ptr.reverse_name(f"192.0.2.{n}", (zone,)) == f"{n}.{zone}"]
    assert taken == list(range(first, first + size))


def test_the_verification_code_is_the_one_that_kolab_computes() -> None:
    expected = hashlib.md5(b"hkccp-verify-example.net", usedforsecurity=False).hexdigest()
    assert verify.code("example.net") == expected
    assert answers().text("example.net", "kolab-verify=") == (f"kolab-verify={expected}",)


def test_a_report_domain_of_ours_consents_to_reports_about_other_domains() -> None:
    found = answers()
    assert found.text("example.net._report._dmarc.example.org", "v=DMARC1") == ("v=DMARC1",)
    assert found.text("example.org._report._dmarc.example.org", "v=DMARC1") == ()


@pytest.mark.parametrize(
    "address", ["a@example.org", "a!b@example.org", "a+b@example.org", "a%41/?#@example.org"]
)
def test_a_report_uri_survives_lists_and_is_read_back(address: str) -> None:
    uri = mailto(address)
    assert not set(uri) & set(",!; ")
    assert address_of(uri) == address


def test_a_zone_inside_another_gets_its_delegation_and_records_go_to_the_nearest() -> None:
    nested = stack(hostedDomains=["team.example.org"], dns__zones={"example.org": "", "team.example.org": ""})
    found = zones(nested)
    assert all(not r.name.endswith("team.example.org") for r in found["example.org"])
    assert any(r.name == "_dmarc.team.example.org" for r in found["team.example.org"])


def test_consent_to_reports_is_spared_only_where_the_walk_through_dns_is_sure_to_meet_our_record() -> None:
    above = stack(mail__dmarc={"rua": ["a@example.org"]}, hostedDomains=["team.example.org"])
    assert not [r for r in records(above) if "._report." in r.name]
    stranger = stack(
        domain="kolab.example.com", hostedDomains=[], mail__dmarc={"rua": ["a@example.com"]}, dns__zones={}
    )
    found = [r.name for r in records(stranger) if "._report." in r.name]
    assert found == ["kolab.example.com._report._dmarc.example.com"]
