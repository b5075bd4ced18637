"""SPF of any shape is evaluated as RFC 7208 says."""

from __future__ import annotations

import pytest

from model.identity import records
from model.identity.answers import Answers
from model.identity.rdata import TXT
from model.identity.record import Record
from model.identity.spf_check import evaluate
from tests.identity.stacks import stack


@pytest.mark.parametrize(
    ("text", "address", "result"),
    [
        ("v=spf1 a:mail.example.org -all", "198.51.100.3", "pass"),
        ("v=spf1 mx ~all", "192.0.2.11", "pass"),
        ("v=spf1 mx ~all", "198.51.100.3", "softfail"),
        ("v=spf1 include:_spf.example.org -all", "198.51.100.9", "pass"),
        ("v=spf1 include:_spf.example.org -all", "203.0.113.1", "fail"),
        ("v=spf1 redirect=_spf.example.org", "198.51.100.9", "pass"),
        ("v=spf1 ?all", "203.0.113.1", "neutral"),
        ("v=spf1", "203.0.113.1", "neutral"),
        ("v=spf1 ip4:nonsense -all", "203.0.113.1", "permerror"),
        ("v=spf1 ptr -all", "203.0.113.1", "fail"),
        ("v=spf1 include:else.where -all", "203.0.113.1", "unknown"),
        ("v=spf1 include:self.example.org -all", "203.0.113.1", "permerror"),
        ("v=spf1 a:no1.example a:no2.example a:no3.example -all", "203.0.113.1", "permerror"),
        (f"v=spf1 {' '.join(['a:mail.example.org'] * 11)} -all", "203.0.113.1", "permerror"),
    ],
)
def test_spf_is_evaluated_as_receivers_do(text: str, address: str, result: str) -> None:
    name = "example.org" if " mx " in text else "self.example.org"
    base = [r for r in records(stack()) if not (r.name == name and "spf1" in r.content)]
    world = Answers([*base, Record(name, TXT(text), 60)])
    assert evaluate(world, address, name).result == result


@pytest.mark.parametrize(
    ("text", "address", "result"),
    [
        ("V=SPF1 IP4:203.0.113.1 -ALL", "203.0.113.1", "pass"),
        ("v=spf10 +all", "203.0.113.1", "none"),
        ("v=spf1 a:mail.example.org/24 -all", "198.51.100.77", "pass"),
        ("v=spf1 exists:%{o}.%{v}.gone.example -all", "198.51.100.77", "fail"),
        ("v=spf1 exists:mail.%{d2} -all", "198.51.100.77", "pass"),
        ("v=spf1 redirect=_spf.example.org -all", "198.51.100.9", "fail"),
        ("v=spf1 +all ip4:1.2.3", "198.51.100.9", "permerror"),
        ("v=spf1 +all ip4:192.0.2.0/255.255.255.0", "198.51.100.9", "permerror"),
        ("v=spf1 include:nobody.example +all", "198.51.100.9", "permerror"),
    ],
)
def test_terms_that_the_program_never_writes_are_evaluated_too(text: str, address: str, result: str) -> None:
    name = "self.example.org"
    world = Answers([*records(stack()), Record(name, TXT(text), 60)])
    assert evaluate(world, address, name, whole=True).result == result
