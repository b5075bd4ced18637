"""The receiver's judgement is the standards' own: each verdict can go both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import dkim
import dns.rdata
import pytest
from dns.rdata import Rdata

from tests.lab.images.keys import dkim_record, rsa_key
from tests.support.verdicts import Arrival, receive

_CLIENT, _HELO = "192.0.2.1", "mail.example.org"
_TEXT = b"From: Jane <jane@example.org>\r\nTo: joe@receiver.test\r\nSubject: hello\r\n\r\nHello.\r\n"


def _world() -> dict[tuple[str, str], list[str]]:
    return {
        ("1.2.0.192.in-addr.arpa", "PTR"): ["mail.example.org."],
        ("mail.example.org", "A"): ["192.0.2.1"],
        ("mail.example.org", "TXT"): ['"v=spf1 a -all"'],
        ("example.org", "TXT"): ['"v=spf1 ip4:192.0.2.1 " "-all"', '"kolab-verify=1"'],
        ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=reject"'],
        ("one._domainkey.example.org", "TXT"): [_quoted(dkim_record(rsa_key()))],
        ("one._domainkey.example.com", "TXT"): [_quoted(dkim_record(rsa_key()))],
    }


def _quoted(text: str) -> str:
    return f'"{text[:200]}" "{text[200:]}"'


def _lookup(world: dict[tuple[str, str], list[str]]) -> Callable[[str, str], Sequence[Rdata]]:
    return lambda name, kind: [
        dns.rdata.from_text("IN", kind, text) for text in world.get((name.rstrip(".").lower(), kind), [])
    ]


def _signed(text: bytes = _TEXT, domain: bytes = b"example.org") -> bytes:
    return dkim.sign(text, b"one", domain, rsa_key().encode()) + text


def _arrival() -> Arrival:
    return Arrival(_CLIENT, _HELO, "jane@example.org", _signed())


def test_a_message_with_everything_right_passes_everything() -> None:
    verdict = receive(_arrival(), _lookup(_world()))
    assert verdict.names == (_HELO,)
    assert (verdict.helo_spf, verdict.spf, verdict.dkim) == ("pass", "pass", {"example.org": True})
    assert (verdict.author, verdict.dmarc, verdict.aligned) == ("example.org", "pass", ("spf", "dkim"))


def test_from_an_unknown_address_only_the_signature_counts() -> None:
    verdict = receive(replace(_arrival(), client="192.0.2.2"), _lookup(_world()))
    assert verdict.names == ()
    assert (verdict.helo_spf, verdict.spf) == ("fail", "fail")
    assert (verdict.dmarc, verdict.aligned) == ("pass", ("dkim",))


def test_of_a_changed_message_only_the_way_counts() -> None:
    changed = replace(_arrival(), content=_signed().replace(b"Hello.", b"Goodbye."))
    verdict = receive(changed, _lookup(_world()))
    assert verdict.dkim == {"example.org": False}
    assert (verdict.dmarc, verdict.aligned) == ("pass", ("spf",))


def test_a_changed_message_from_an_unknown_address_fails() -> None:
    changed = replace(_arrival(), client="192.0.2.2", content=_signed().replace(b"Hello.", b"Goodbye."))
    assert receive(changed, _lookup(_world())).dmarc == "fail"


def test_a_signature_without_its_key_does_not_hold() -> None:
    world = _world()
    del world["one._domainkey.example.org", "TXT"]
    assert receive(_arrival(), _lookup(world)).dkim == {"example.org": False}


def test_a_signature_of_somebody_else_says_nothing_about_the_author() -> None:
    foreign = replace(_arrival(), client="192.0.2.2", content=_signed(domain=b"example.com"))
    verdict = receive(foreign, _lookup(_world()))
    assert verdict.dkim == {"example.com": True}
    assert (verdict.dmarc, verdict.aligned) == ("fail", ())


def test_a_name_that_does_not_lead_back_is_no_name() -> None:
    world = _world() | {("mail.example.org", "A"): ["192.0.2.7"]}
    assert receive(_arrival(), _lookup(world)).names == ()


def test_a_report_is_judged_by_its_helo() -> None:
    text = _TEXT.replace(b"jane@example.org", b"mailer-daemon@mail.example.org")
    report = replace(_arrival(), sender="", content=text)
    verdict = receive(report, _lookup(_world()))
    assert (verdict.spf, verdict.dkim, verdict.dmarc, verdict.aligned) == ("pass", {}, "pass", ("spf",))
    elsewhere = receive(replace(report, client="192.0.2.2"), _lookup(_world()))
    assert (elsewhere.spf, elsewhere.dmarc) == ("fail", "fail")


@pytest.mark.parametrize(("mode", "dmarc"), [("r", "pass"), ("s", "fail")])
def test_strict_alignment_wants_the_very_domain(mode: str, dmarc: str) -> None:
    world = _world() | {("_dmarc.example.org", "TXT"): [f'"v=DMARC1; p=reject; aspf={mode}; adkim={mode}"']}
    below = _signed(_TEXT.replace(b"jane@example.org", b"jane@news.example.org"))
    assert receive(replace(_arrival(), content=below), _lookup(world)).dmarc == dmarc


def test_without_a_policy_there_is_no_dmarc_verdict() -> None:
    world = _world()
    del world["_dmarc.example.org", "TXT"]
    assert receive(_arrival(), _lookup(world)).dmarc == "none"


def test_nobody_vouches_for_two_authors() -> None:
    two = _signed(_TEXT.replace(b"Jane <jane@example.org>", b"jane@example.org, joe@example.org"))
    verdict = receive(replace(_arrival(), content=two), _lookup(_world()))
    assert (verdict.author, verdict.dmarc) == ("", "none")
