"""Senders of redirected mail: rewritten into our domain, and back for whoever holds the key."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.scripts.postfix import srs

KEY, OWN, DAY = b"key", ("example.org", "example.net"), 20000
LOCALS = st.text("abcdefgXYZ0123456789.+-_=", min_size=1, max_size=20)
DOMAINS = st.sampled_from(("sender.test", "a.b.test", "xn--mnchen-3ya.test"))
DAYS = st.integers(0, 40000)


@given(LOCALS, DOMAINS, DAYS, st.integers(0, srs.DAYS))
def test_a_bounce_finds_the_author_for_three_weeks(local: str, domain: str, day: int, later: int) -> None:
    address = srs.forward(f"{local}@{domain}", KEY, OWN, day)
    if not address.startswith(srs.OVERFLOW):
        assert srs.reverse(address, KEY, OWN, day + later) == f"{local}@{domain}"


@given(LOCALS, DOMAINS, DAYS, st.integers(srs.DAYS + 1, 900))
def test_after_that_the_address_is_no_longer_one(local: str, domain: str, day: int, later: int) -> None:
    address = srs.forward(f"{local}@{domain}", KEY, OWN, day)
    assert srs.reverse(address, KEY, OWN, day + later) == ""


def test_servers_that_change_capitals_break_nothing() -> None:
    address = srs.forward("Author@sender.test", KEY, OWN, DAY)
    assert srs.reverse(address.lower(), KEY, OWN, DAY) == "author@sender.test"
    assert srs.reverse(address.upper(), KEY, OWN, DAY) == "AUTHOR@SENDER.TEST"


@pytest.mark.parametrize("address", ["jane@example.org", "jane@EXAMPLE.net", "nobody", "", "@sender.test"])
def test_our_own_senders_and_what_is_no_address_stay(address: str) -> None:
    assert srs.forward(address, KEY, OWN, DAY) == ""


def test_what_another_server_has_rewritten_goes_back_to_the_first_one() -> None:
    """Through any number of servers: the address grows once (SRS1)."""
    first = "SRS0=AbCd=TT=author.test=user@first.test"
    second = srs.forward(first, KEY, OWN, DAY)
    assert second.startswith("SRS1=")
    assert srs.reverse(second, KEY, OWN, DAY) == first
    third = srs.forward(second, b"another", ("third.test",), DAY)
    assert len(third.partition("@")[0]) == len(second.partition("@")[0])
    assert srs.reverse(third, b"another", ("third.test",), DAY) == first


@pytest.mark.parametrize(
    "change", [lambda a: a.replace("user", "victim"), lambda a: a.replace("=test", "=prey")]
)
@pytest.mark.parametrize("sender", ["user@sender.test", "SRS0=AbCd=TT=author.test=user@first.test"])
def test_whoever_changes_a_letter_has_no_address(change: object, sender: str) -> None:
    assert callable(change)
    made = srs.forward(sender, KEY, OWN, DAY).replace("=sender.test", "=test").replace("=first.test", "=test")
    assert srs.reverse(change(made), KEY, OWN, DAY) == ""


def test_another_key_makes_other_addresses() -> None:
    address = srs.forward("user@sender.test", KEY, OWN, DAY)
    assert srs.reverse(address, b"another", OWN, DAY) == ""


def test_an_address_in_another_domain_of_ours_is_none() -> None:
    address = srs.forward("user@sender.test", KEY, OWN, DAY).replace("example.org", "example.net")
    assert srs.reverse(address, KEY, OWN, DAY) == ""


def test_a_sender_that_would_be_longer_than_receivers_take_is_the_postmasters() -> None:
    long = f"{'0' * 60}@bounces.eu-west-1.sender.test"
    assert srs.forward(long, KEY, OWN, DAY) == "redirected@example.org"
    assert all(
        len(srs.forward(f"{'x' * n}@sender.test", KEY, OWN, DAY).partition("@")[0]) <= srs.LONGEST
        for n in range(1, 65)
    )


def test_requests_are_answered_until_postfix_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ends:
        def __init__(self, text: bytes = b"") -> None:
            self.buffer = io.BytesIO(text)

    out = Ends()
    requests = b"28:forward author@sender.test.x,20:reverse jane@here.ts,"
    monkeypatch.setattr(sys, "stdin", Ends(requests))
    monkeypatch.setattr(sys, "stdout", out)
    srs.serve(KEY, OWN)
    first, second = out.buffer.getvalue().split(b",", 1)
    assert first.partition(b":")[2].startswith(b"OK SRS0=")
    assert int(first.partition(b":")[0]) == len(first.partition(b":")[2])
    assert second == b"9:NOTFOUND ,"
