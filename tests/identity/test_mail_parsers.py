"""Other people's libraries read our records as we mean them."""

from __future__ import annotations

from email.message import EmailMessage

import checkdmarc.dmarc
import checkdmarc.mta_sts
import checkdmarc.smtp_tls_reporting
import checkdmarc.spf
import dkim as dkimpy
import pytest
import spf as pyspf

from model.identity import mta_sts, records
from model.identity.answers import Answers
from model.identity.rdata import MX, TXT
from model.names import Names
from model.topology import egress_addresses
from tests.identity.keys import pem, public
from tests.identity.stacks import FOREIGN, selectors, stack

STACK = stack()
DOMAINS = ("example.org", "example.net", FOREIGN)
ANSWERS = Answers(records(STACK))


def text(name: str, start: str) -> str:
    """The one TXT record at `name` that begins with `start`."""
    (found,) = ANSWERS.text(name, start)
    return found


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyspf asks our records instead of the network."""

    def lookup(name: str, qtype: str, *_: object, **__: object) -> list[tuple[tuple[str, str], object]]:
        name = name.lower().rstrip(".")
        found: list[tuple[tuple[str, str], object]] = []
        for value in ANSWERS.ask(name, qtype):
            answer: object = str(value)
            if isinstance(value, TXT):
                answer = list(value.chunks)
            if isinstance(value, MX):
                answer = (value.preference, value.exchange)
            found.append(((name, qtype), answer))
        return found

    monkeypatch.setattr(pyspf, "DNSLookup", lookup)


@pytest.mark.usefixtures("resolver")
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("address", egress_addresses(STACK))
def test_pyspf_passes_every_egress_address(domain: str, address: str) -> None:
    helo = Names.of(STACK).helo
    assert pyspf.check2(i=address, s=f"someone@{domain}", h=helo)[0] == "pass"
    assert pyspf.check2(i=address, s="", h=helo)[0] == "pass"


@pytest.mark.usefixtures("resolver")
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("address", ["203.0.113.9", "192.0.2.11", "2001:db8:ffff::1"])
def test_pyspf_passes_no_other_address_not_even_our_own_inbound_one(domain: str, address: str) -> None:
    helo = Names.of(STACK).helo
    assert pyspf.check2(i=address, s=f"someone@{domain}", h=helo)[0] == "softfail"
    assert pyspf.check2(i=address, s="", h=helo)[0] == "fail"


@pytest.mark.usefixtures("resolver")
@pytest.mark.parametrize("host", ["mx.example.org", "imap.example.org", "autoconfig.example.net"])
def test_pyspf_fails_mail_in_the_name_of_a_host(host: str) -> None:
    address = egress_addresses(STACK)[0]
    assert pyspf.check2(i=address, s=f"someone@{host}", h="mail.example.org")[0] == "fail"


@pytest.mark.parametrize("domain", ["example.org", "example.net"])
def test_checkdmarc_reads_spf_without_a_lookup_or_a_warning(domain: str) -> None:
    parsed = checkdmarc.spf.parse_spf_record(text(domain, "v=spf1"), domain)
    assert parsed["dns_lookups"] == 0
    assert parsed["warnings"] == []
    assert parsed["parsed"]["all"] == "softfail"


@pytest.mark.parametrize("domain", DOMAINS)
def test_checkdmarc_reads_dmarc(domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkdmarc.dmarc, "check_wildcard_dmarc_report_authorization", lambda *_, **__: True)
    monkeypatch.setattr(checkdmarc.dmarc, "verify_dmarc_report_destination", lambda *_, **__: True)
    monkeypatch.setattr(
        checkdmarc.dmarc, "get_mx_records", lambda *_, **__: [{"hostname": "mx", "preference": 1}]
    )
    parsed = checkdmarc.dmarc.parse_dmarc_record(text(f"_dmarc.{domain}", "v=DMARC1"), domain)
    tags = {tag: value["value"] for tag, value in parsed["tags"].items()}
    assert (tags["p"], tags["sp"], tags["np"]) == ("quarantine", "reject", "reject")
    assert tags["rua"][0]["address"] == "dmarc-reports@example.org"
    assert not {"pct", "ri", "rf"} & {tag for tag, value in parsed["tags"].items() if value["explicit"]}
    assert parsed["warnings"] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_checkdmarc_reads_mta_sts_and_the_policy_names_our_mx(domain: str) -> None:
    record = checkdmarc.mta_sts.parse_mta_sts_record(text(f"_mta-sts.{domain}", "v=STSv1"))
    body = mta_sts.shared(STACK)
    assert body is not None
    assert record["tags"]["id"] == mta_sts.policy_id(body)
    parsed = checkdmarc.mta_sts.parse_mta_sts_policy(body.decode())
    exchanges = [v.exchange for v in ANSWERS.ask(domain, "MX") if isinstance(v, MX)]
    assert parsed["policy"] == {"version": "STSv1", "mode": "enforce", "max_age": 1209600, "mx": exchanges}
    assert parsed["warnings"] == []


@pytest.mark.parametrize("name", [*DOMAINS, "mx.example.org"])
def test_checkdmarc_reads_tls_rpt_of_domains_and_mx_host(name: str) -> None:
    record = checkdmarc.smtp_tls_reporting.parse_smtp_tls_reporting_record(
        text(f"_smtp._tls.{name}", "v=TLSRPTv1")
    )
    assert record["tags"]["rua"]["value"] == ["mailto:tls-reports@example.org"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_dkimpy_verifies_a_message_signed_with_the_active_key(domain: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = f"someone@{domain}", "other@receiver.example"
    message["Subject"], message["Date"] = "Hello", "Mon, 23 Nov 2026 12:00:00 +0000"
    message["Message-ID"] = f"<1@{domain}>"
    message.set_content("Text.\n")
    body = message.as_bytes().replace(b"\n", b"\r\n")
    signature = dkimpy.sign(body, b"k1", domain.encode(), pem())

    def published(name: bytes, timeout: int = 5) -> bytes:
        del timeout
        return text(name.decode().rstrip("."), "v=DKIM1").encode()

    assert dkimpy.verify(signature + body, dnsfunc=published)
    assert not dkimpy.verify(signature + body.replace(b"Text.", b"Texts"), dnsfunc=published)


def test_only_keys_that_somebody_may_need_are_published_and_a_revoked_one_is_empty() -> None:
    keys = selectors(a="staged", b="published", c="active", d="retired", e="revoked")
    answers = Answers(records(stack(mail__dkim__selectors=keys)))
    head = "v=DKIM1; k=rsa; h=sha256; p="
    for domain in DOMAINS:
        found = {name: answers.text(f"{name}._domainkey.{domain}", "v=") for name in keys}
        assert found == {
            "a": (),
            "b": (head + public("b"),),
            "c": (head + public("c"),),
            "d": (head + public("d"),),
            "e": (head,),
        }
