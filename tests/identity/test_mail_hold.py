"""On hold a domain's mail, its clients and its policies are what they were: its server is somebody else's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.identity import cname_sheet, held_back, mta_sts, plan, records
from model.identity.answers import Answers
from model.identity.existing import conflicts
from model.identity.rdata import parse_value
from model.identity.record import Record
from model.monitoring.probes import probes
from model.names import Names
from model.settings import Settings
from tests.identity.stacks import stack
from tests.identity.strategies import settings

HELD: dict[str, Any] = {"mail__mx": {"stage": "hold"}}
SERVICES = (
    "_imaps",
    "_imap",
    "_submissions",
    "_submission",
    "_pop3s",
    "_pop3",
    "_sieve",
    "_caldavs",
    "_carddavs",
)
QUESTIONS = (
    ("", "MX"),
    ("_mta-sts.", "TXT"),
    ("_smtp._tls.", "TXT"),
    *(
        (f"{host}.", kind)
        for host in ("mta-sts", "autoconfig", "autodiscover")
        for kind in ("A", "AAAA", "CAA")
    ),
    *((f"{service}._tcp.", kind) for service in (*SERVICES, "_autodiscover") for kind in ("SRV", "TXT")),
)
"""What senders and clients ask about a mail domain itself."""
VALUES = {
    "A": "203.0.113.200",
    "AAAA": "2001:db8:ffff::1",
    "MX": "10 mail.old.example.",
    "TXT": '"v=STSv1; id=1"',
    "SRV": "0 1 993 imap.old.example.",
    "CAA": '0 issue "other.example"',
    "CNAME": "web.old.example.",
}


@st.composite
def existing(draw: st.DrawFn, domains: tuple[str, ...]) -> list[Record]:
    """What another server has in the zones of these domains."""
    names = st.sampled_from([name + domain for domain in domains for name, _ in QUESTIONS])
    kinds = st.sampled_from(sorted(VALUES))
    pairs = draw(st.sets(st.tuples(names, kinds), max_size=12))
    return [Record(name, parse_value(kind, VALUES[kind]), 300) for name, kind in sorted(pairs)]


@examples(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_answer_about_mail_clients_or_policies_differs(data: st.DataObject) -> None:
    generated = data.draw(settings())
    mail = generated.mail.model_copy(update={"mx": generated.mail.mx.model_copy(update={"stage": "hold"})})
    held = generated.model_copy(update={"mail": mail})
    there = data.draw(existing(held.domains))
    # A host name that the stack file gives is meant to be ours alone.
    hosts = {host for host in vars(Names.of(held)).values() if isinstance(host, str)} - set(held.domains)
    ours = [record for record in records(held) if record.name not in hosts]
    before, after = Answers(there), Answers((*there, *ours))
    for domain in held.domains:
        for prefix, kind in QUESTIONS:
            name = f"{prefix}{domain}"
            assert before.ask(name, kind) == after.ask(name, kind), (name, kind)


@pytest.mark.parametrize("stage", ["testing", "enforce", "removing"])
def test_no_policy_is_served_about_the_server_of_somebody_else(stage: str) -> None:
    held = stack(**HELD, mail__mtaSts={"stage": stage, "since": "2026-01-01"})
    assert mta_sts.shared(held) is None
    assert not [probe for probe in probes(held) if probe.name == "mta-sts"]
    assert mta_sts.shared(stack(mail__mtaSts={"stage": stage, "since": "2026-01-01"}))


def test_the_authority_of_a_policy_host_is_nobodys_business_on_hold() -> None:
    assert not [
        r for r in records(stack(**HELD)) if r.name.startswith(("mta-sts.", "autoconfig.", "autodiscover."))
    ]
    later = {(r.name, r.type) for r in held_back(stack(**HELD))}
    assert {
        ("mta-sts.example.net", "A"),
        ("mta-sts.example.net", "CAA"),
        ("_smtp._tls.example.net", "TXT"),
    } <= later


def test_owners_of_other_zones_publish_nothing_of_it_either() -> None:
    for rows in cname_sheet(stack(**HELD)).values():
        assert not [row for row in rows if row.name.startswith(("mta-sts.", "_mta-sts.", "_smtp._tls."))]


def test_what_is_about_our_own_host_names_stays() -> None:
    names = {(r.name, r.type) for r in records(stack(**HELD))}
    assert {("_25._tcp.mx.example.org", "TLSA"), ("_smtp._tls.mx.example.org", "TXT")} <= names


def test_a_zone_with_a_policy_and_clients_elsewhere_is_no_conflict_on_hold() -> None:
    lines = [
        Record("mta-sts.example.org", parse_value("CNAME", "policy.old.example."), 300),
        Record("_mta-sts.example.org", parse_value("TXT", '"v=STSv1; id=1"'), 300),
        Record("autodiscover.example.org", parse_value("CNAME", "clients.old.example."), 300),
        Record("_smtp._tls.example.org", parse_value("TXT", '"v=TLSRPTv1; rua=mailto:a@old.example"'), 300),
    ]
    held: Settings = stack(**HELD)
    assert list(conflicts(plan(held).zones["example.org"], lines, "example.org")) == []
    live = list(conflicts(plan(stack()).zones["example.org"], lines, "example.org"))
    assert len(live) >= 3


@pytest.mark.parametrize("stage", ["hold", "shadow"])
def test_names_that_do_not_exist_have_no_policy_unasked_before_the_domain_is_live(stage: str) -> None:
    own = {"example.net": {"stage": stage, "otherMx": [{"host": "mx.old.example", "preference": 5}]}}

    def text(**changes: Any) -> str:
        (found,) = Answers(records(stack(**changes))).text("_dmarc.example.net", "v=DMARC1")
        return found

    assert "np=" not in text(domains=own, mail__dmarc={})
    assert "np=reject" in text(mail__dmarc={})
    assert "np=reject" in text(domains=own, mail__dmarc={"nonexistentPolicy": "reject"})


@pytest.mark.parametrize(("stage", "end"), [("hold", "?all"), ("shadow", "?all"), ("live", "-all")])
def test_spf_judges_nobody_before_the_domain_is_live_unless_it_names_who_else_sends(
    stage: str, end: str
) -> None:
    own = {"stage": stage, "otherMx": [{"host": "mx.old.example", "preference": 5}]}

    def text(**changes: Any) -> str:
        (found,) = Answers(records(stack(mail__spfAll="-all", **changes))).text("example.net", "v=spf1")
        return found

    assert text(domains={"example.net": own}).endswith(f" {end}")
    assert text(domains={"example.net": {**own, "senders": {"networks": ["203.0.113.7"]}}}).endswith(" -all")
