"""A record is the same after it was written and read back, and says why it exists."""

from __future__ import annotations

import ipaddress

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.identity import parse, records
from model.identity.rdata import (
    AAAA,
    CAA,
    CNAME,
    MX,
    NS,
    PTR,
    ROOT,
    SRV,
    TLSA,
    TXT,
    A,
    Value,
    parse_value,
)
from model.identity.record import Record
from tests.identity.stacks import stack

LABEL = st.from_regex(r"\A[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9])?\Z")
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
TARGETS = NAMES | st.just(ROOT)
SHORT = st.integers(0, 65535)
BYTE = st.integers(0, 255)
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "A": st.integers(0, 2**32 - 1).map(lambda n: A(ipaddress.IPv4Address(n))),
    "AAAA": st.integers(0, 2**128 - 1).map(lambda n: AAAA(ipaddress.IPv6Address(n))),
    "MX": st.builds(MX, SHORT, TARGETS),
    "TXT": st.builds(TXT, st.text(max_size=700)),
    "CNAME": st.builds(CNAME, NAMES),
    "NS": st.builds(NS, NAMES),
    "PTR": st.builds(PTR, NAMES),
    "SRV": st.builds(SRV, SHORT, SHORT, SHORT, TARGETS),
    "CAA": st.builds(CAA, BYTE, st.sampled_from(("issue", "issuewild", "iodef")), st.text(max_size=100)),
    "TLSA": st.builds(TLSA, BYTE, BYTE, st.just(1), st.binary(min_size=32, max_size=32).map(bytes.hex)),
}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", VALUES)
def test_a_rendered_record_is_read_back_as_itself(kind: str) -> None:
    @given(st.builds(Record, NAMES, VALUES[kind], st.integers(0, 2**31 - 1)))
    def promise(record: Record) -> None:
        assert record.type == kind
        assert parse(record.render()) == record

    promise()


@pytest.mark.thorough
@pytest.mark.parametrize("kind", VALUES)
def test_dnspython_reads_a_value_and_writes_what_we_read_as_the_same(kind: str) -> None:
    @given(VALUES[kind])
    def promise(value: Value) -> None:
        theirs = dns.rdata.from_text("IN", kind, str(value))
        assert parse_value(kind, theirs.to_text()) == value

    promise()


@given(st.text(min_size=256, max_size=2000))
def test_long_text_is_cut_into_strings_of_at_most_255_bytes(text: str) -> None:
    chunks = TXT(text).chunks
    assert all(0 < len(chunk) <= 255 for chunk in chunks)
    assert all(len(chunk) == 255 for chunk in chunks[:-1])
    assert b"".join(chunks) == text.encode()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("A", "2001:db8::1"),
        ("A", "192.0.2.1 192.0.2.2"),
        ("AAAA", "192.0.2.1"),
        ("MX", "mx.example.org."),
        ("MX", "65536 mx.example.org."),
        ("MX", "-1 mx.example.org."),
        ("TXT", '"open'),
        ("TXT", '"broken \\'),
        ("TXT", '"\\256"'),
        ("TXT", ""),
        ("SRV", "0 0 443"),
        ("CAA", '256 issue "a"'),
        ("TLSA", "3 1 1 xyz"),
        ("SOA", "a. b. 1 2 3 4 5"),
    ],
)
def test_text_that_is_no_such_value_is_refused_with_a_sentence(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_value(kind, text)


@pytest.mark.parametrize(
    "line", ["", "a.", "a. IN A 192.0.2.1", "a. x IN A 192.0.2.1", "a. 60 CH A 192.0.2.1"]
)
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        parse(line)


def test_every_published_record_says_why_in_one_sentence() -> None:
    for record in records(stack()):
        assert record.why.endswith("."), record
        assert "\n" not in record.why
        assert record.why[0].isupper() or record.why[0].islower()


def test_records_that_dns_cannot_tell_apart_are_equal() -> None:
    value = parse_value("A", "192.0.2.1")
    assert Record("a.example", value, 60, "One.") == Record("a.example", value, 60, "Other.")


def test_structured_parts_are_there_for_the_types_that_apis_take_apart() -> None:
    tlsa = parse("_25._tcp.mx.example. 60 IN TLSA 3 1 1 ab")
    assert tlsa.data == {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "AB"}
    srv = parse("_imaps._tcp.a.example. 60 IN SRV 0 1 993 imap.a.example.")
    assert srv.data == {"priority": 0, "weight": 1, "port": 993, "target": "imap.a.example"}
    caa = parse('a.example. 60 IN CAA 0 issue "ca.example"')
    assert caa.data == {"flags": 0, "tag": "issue", "value": "ca.example"}
    mx = parse("a.example. 60 IN MX 10 mx.a.example.")
    assert (mx.data, mx.priority, mx.target) == (None, 10, "mx.a.example")
    text = parse('a.example. 60 IN TXT "x"')
    assert (text.data, text.priority, text.target, text.content) == (None, None, None, '"x"')
