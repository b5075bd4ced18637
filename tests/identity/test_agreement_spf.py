"""pyspf, an SPF evaluator that receivers run, says of any record and any stack file what the program says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import spf as pyspf
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.identity import records
from model.identity.answers import Answers
from model.identity.rdata import MX, TXT, parse_value
from model.identity.record import Record
from model.identity.spf_check import evaluate
from model.names import Names
from model.settings import Senders, Settings
from model.topology import egress_addresses
from tests.identity.stacks import stack
from tests.identity.strategies import settings

pytestmark = pytest.mark.thorough

SERVICES = {
    "sends.example": "v=spf1 ip4:203.0.113.0/28 -all",
    "many.example": "v=spf1 include:sends.example ?all",
    "spf.relay.example": "v=spf1 ip4:203.0.113.200 -all",
    "self.example": "v=spf1 include:self.example -all",
    "broken.example": "v=spf1 ip4:203.0.113.0/33 -all",
    "deep.example": "v=spf1 include:many.example include:sends.example a mx:sends.example redirect=many.example",
    "capital.example": "V=SPF1 IP4:203.0.113.9 ~ALL",
    "exists.example": "v=spf1 exists:%{ir}.list.%{d} -exists:%{i}.%{v}.%{o}.no.example ?all",
    "parts.example": "v=spf1 include:%{d1r}.%{l}.example a:%{h} -all",
    "later.example": "v=spf10 +all",
}
"""Records of services that a stack may include, some broken."""
HOSTS = {
    "sends.example": {"A": ["203.0.113.66"], "MX": ["10 in.sends.example.", "20 sends.example."]},
    "in.sends.example": {"A": ["203.0.113.70"], "AAAA": ["2001:db8:77::70"]},
    "crowd.example": {"MX": [f"{n} sends.example." for n in range(1, 12)]},
    "9.113.0.203.list.exists.example": {"A": ["127.0.0.2"]},
    "9.113.0.203.in-addr.arpa": {"PTR": ["in.sends.example.", "named.sends.example."]},
    "named.sends.example": {"A": ["203.0.113.9"]},
    "alias.example": {"CNAME": ["in.sends.example."]},
}
ADDRESSES = ("203.0.113.9", "203.0.113.66", "203.0.113.70", "203.0.113.200", "192.0.2.11", "2001:db8:77::70")
NAMES = (*SERVICES, "in.sends.example", "crowd.example", "alias.example", "gone.example", "void.example")
MANY = examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class World:
    """Our records, and those of the services."""

    def __init__(self, ours: Iterable[Record]) -> None:
        theirs = [Record(name, TXT(text), 60) for name, text in SERVICES.items()]
        hosts = [
            Record(name, parse_value(kind, text), 60)
            for name, kinds in HOSTS.items()
            for kind, texts in kinds.items()
            for text in texts
        ]
        self.answers = Answers((*ours, *theirs, *hosts))

    def lookup(self, name: str, kind: str, *_: object, **__: object) -> list[tuple[tuple[str, str], object]]:
        """As pyspf asks a resolver."""
        owner = name.lower().rstrip(".")

        def shown(value: Any) -> object:
            if isinstance(value, TXT):
                return [chunk if isinstance(chunk, bytes) else chunk.encode() for chunk in value.chunks]
            if isinstance(value, MX):
                return (value.preference, value.exchange)
            return str(value).rstrip(".")

        return [((owner, kind), shown(value)) for value in self.answers.ask(owner, kind)]


@contextmanager
def asking(world: World) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyspf, "DNSLookup", world.lookup)
        yield


def theirs(address: str, domain: str, helo: str) -> str:
    return str(pyspf.check2(i=address, s=f"postmaster@{domain}", h=helo)[0])


def spelled(draw: st.DrawFn) -> str:
    """One term, seldom a broken one."""
    name = st.sampled_from(NAMES)
    lengths = st.sampled_from(("", "/24", "//64", "/28//48", "/0", "/33", "//129", "/024"))
    term = draw(
        st.one_of(
            st.builds(lambda n, q: f"{q}include:{n}", name, st.sampled_from(("", "?", "-", "~", "+"))),
            st.builds(
                lambda m, n, c: f"{m}{':' if n else ''}{n}{c}",
                st.sampled_from(("a", "mx", "A", "-a", "~MX")),
                st.just("") | name,
                lengths,
            ),
            st.builds(
                lambda n: f"ip4:203.0.113.{n}", st.sampled_from(("9", "64/26", "0/28", "9/33", "300", ""))
            ),
            st.builds(lambda n: f"IP6:2001:db8:77::{n}", st.sampled_from(("/48", "70", "/129", "g"))),
            st.builds(
                lambda n: f"exists:{n}", name | st.sampled_from(("%{ir}.list.exists.example", "%{x}.example"))
            ),
            st.sampled_from(("ptr", "ptr:sends.example", "ptr:gone.example", "exp=why.example", "unknown=1")),
            st.sampled_from(("all", "-all", "~ALL", "?all", "all:x", "alle", "a:", "include", "a.example")),
            st.builds(lambda n: f"redirect={n}", name),
        )
    )
    return str(term)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """An SPF record as people write them, wrong ones among them."""
    terms = [spelled(draw) for _ in range(draw(st.integers(0, 6)))]
    # pyspf refuses a modifier that nobody knows where it stands twice; section 6 does so for known ones alone.
    terms = [term for n, term in enumerate(terms) if term != "unknown=1" or n == terms.index(term)]
    return " ".join((draw(st.sampled_from(("v=spf1", "v=spf1", "V=spf1", "v=spf10"))), *terms))


@examples(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts(), st.sampled_from(ADDRESSES))
def test_any_record_is_evaluated_as_pyspf_does(text: str, address: str) -> None:
    ours = [
        Record("org.example", TXT(text), 60),
        Record("org.example", parse_value("A", "192.0.2.11"), 60),
        Record("org.example", parse_value("MX", "10 in.sends.example."), 60),
    ]
    world = World(ours)
    with asking(world):
        found = evaluate(world.answers, address, "org.example", helo="sends.example", whole=True)
        assert theirs(address, "org.example", "sends.example") == found.result, text


@st.composite
def stacks(draw: st.DrawFn) -> Settings:
    """Stack files in which others may send as well, some of them in no working order."""
    found = draw(settings(sound=True))
    names = st.sampled_from(
        ("many.example", "sends.example", "deep.example", "broken.example", "gone.example")
    )
    networks = st.sampled_from(("203.0.113.64/26", "2001:db8:77::/48"))
    senders = Senders(
        includes=tuple(draw(st.lists(names, max_size=2, unique=True))),
        networks=tuple(map(ipaddress.ip_network, draw(st.lists(networks, max_size=2, unique=True)))),
    )
    return found.model_copy(update={"mail": found.mail.model_copy(update={"senders": senders})})


@MANY
@given(stacks())
def test_of_every_source_and_of_strangers_the_same_is_said_for_any_stack_file(found: Settings) -> None:
    world, helo = World(records(found)), Names.of(found).helo
    with asking(world):
        for domain in dict.fromkeys((*found.domains, helo)):
            for address in (*egress_addresses(found, announced=True), *ADDRESSES):
                ours = evaluate(world.answers, address, domain, helo=helo, whole=True).result
                assert theirs(address, domain, helo) == ours, (domain, address)


@MANY
@given(stacks())
def test_our_sources_pass_for_any_stack_file_whatever_others_do(found: Settings) -> None:
    helo = Names.of(found).helo
    with asking(World(records(found))):
        for domain in found.domains:
            for address in egress_addresses(found, announced=True):
                assert theirs(address, domain, helo) == "pass"


@pytest.mark.parametrize(
    ("includes", "address", "verdict"),
    [
        ([], "192.0.2.11", "softfail"),
        (["sends.example"], "203.0.113.9", "pass"),
        (["many.example"], "203.0.113.9", "pass"),
        (["many.example"], "203.0.113.66", "softfail"),
        (["broken.example"], "203.0.113.9", "permerror"),
        (["gone.example"], "203.0.113.9", "permerror"),
        (["self.example"], "203.0.113.9", "permerror"),
        (["later.example"], "203.0.113.9", "permerror"),
        (["deep.example", "many.example", "exists.example"], "192.0.2.11", "permerror"),
    ],
)
def test_faults_of_others_have_the_verdict_that_receivers_give(
    includes: list[str], address: str, verdict: str
) -> None:
    found = stack(mail__senders={"includes": includes})
    world, helo = World(records(found)), Names.of(found).helo
    with asking(world):
        assert theirs(address, "example.org", helo) == verdict
    assert evaluate(world.answers, address, "example.org", helo=helo, whole=True).result == verdict
