"""Any zone that exists, any stack file on hold: where the first look lets `up` go on, nobody's answers about mail differ.

Answers differ at names that are the stack's alone: its hosts, its keys, and what stands below them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.identity import dkim, zones
from model.identity.existing import conflicts
from model.identity.place import forward_zones, zone_of
from model.identity.rdata import Other, Value, parse_value
from model.identity.record import Record
from model.identity.wildcards import vanishing
from model.names import Names
from model.settings import Settings
from tests.identity.strategies import settings
from tests.identity.world import World

pytestmark = pytest.mark.thorough

OLD = {
    "A": ("203.0.113.200",),
    "AAAA": ("2001:db8:ffff::1",),
    "CNAME": ("web.old.example.",),
    "DNAME": ("old.example.",),
    "NS": ("ns.old.example.",),
    "MX": ("10 mail.old.example.", "0 ."),
    "TXT": (
        '"v=spf1 mx include:old.example -all"',
        '"V=SPF1 -all"',
        '"v=DMARC1; p=reject"',
        '"v=STSv1; id=1"',
        '"v=TLSRPTv1; rua=mailto:a@old.example"',
        '"v=DKIM1; p="',
        '"site-verification=1"',
    ),
    "SRV": ("0 1 993 imap.old.example.",),
    "CAA": ('0 issue "other.example"',),
    "TLSA": (f"3 1 1 {'c' * 64}",),
    "HTTPS": ("1 . alpn=h2 ipv6hint=2001:db8:ffff::1", "0 cdn.old.example."),
    "SVCB": ("1 . port=8443",),
}
SERVICES = ("_imaps", "_submissions", "_pop3s", "_sieve", "_caldavs", "_carddavs", "_autodiscover")
_WEB = ("A", "AAAA", "HTTPS", "CAA")
MAIL = {
    "": ("MX", "TXT", *_WEB),
    **dict.fromkeys(("_dmarc.", "_mta-sts.", "_smtp._tls.", "old._domainkey."), ("TXT",)),
    **dict.fromkeys(("mta-sts.", "autoconfig.", "autodiscover."), _WEB),
    "_25._tcp.mail.": ("TLSA",),
    **{f"{service}._tcp.": ("SRV", "TXT") for service in SERVICES},
    **dict.fromkeys(("www.", "mail.", "mx.", "lists.", "anything.", "a.b."), ("MX", "TXT", *_WEB)),
}
"""What senders, receivers, mail programs and browsers ask about a mail domain and in its zone."""
STARS = ("imap.", "smtp.", "_domainkey.", "*.", "*.lists.", "*._domainkey.", "*._tcp.")


def value(kind: str, text: str) -> Value:
    return Other(kind, text) if kind in ("DNAME", "HTTPS", "SVCB") else parse_value(kind, text)


@st.composite
def existing(draw: st.DrawFn, domains: tuple[str, ...]) -> list[Record]:
    """What other servers have in the zones of these domains: what no name server would load is left out."""
    names = [f"{label}{domain}" for domain in domains for label in (*MAIL, *STARS)]
    pairs = st.sampled_from([(kind, text) for kind, texts in OLD.items() for text in texts])
    found: dict[str, dict[str, set[str]]] = {}
    for name, (kind, text) in draw(st.lists(st.tuples(st.sampled_from(names), pairs), max_size=14)):
        there = found.setdefault(name, {})
        alone = "CNAME" in there or (kind == "CNAME" and there)
        apex = name in domains and kind in ("CNAME", "NS", "DNAME")
        if not (alone or apex or (name.startswith("*.") and kind in ("NS", "DNAME"))):
            there.setdefault(kind, set()).add(text)
    return [
        Record(name, value(kind, text), 300)
        for name, kinds in found.items()
        for kind, texts in kinds.items()
        for text in sorted(texts)
    ]


def held(found: Settings) -> Settings:
    """Every domain on hold."""
    mail = found.mail.model_copy(update={"mx": found.mail.mx.model_copy(update={"stage": "hold"})})
    return found.model_copy(update={"mail": mail, "per_domain": {}})


def refused(found: Settings, zone: str, there: list[Record], before: World) -> bool:
    """Whether the first look stops the update, as ops/dns.py compares."""
    planned = zones(found)[zone]
    absent = [d for d in found.domains if zone_of(d, zones(found)) == zone and not before.exists(d)]
    ends = [each for domain in absent for each in made_up(before, domain)]
    said = [*conflicts(planned, there, zone), *vanishing(planned, ends, zone)]
    return any(each.severity == "error" for each in said)


def made_up(before: World, name: str) -> Iterator[Record]:
    """What wildcards answer for a name that does not exist."""
    for kind in ("MX", "A", "AAAA"):
        for text in before.ask(name, kind):
            if text.startswith("CNAME "):
                yield Record(name, value("CNAME", text.removeprefix("CNAME ")), 0)
            elif not text.startswith(("NS ", "DNAME ")):
                yield Record(name, value(kind, text), 0)


def hosts(found: Settings) -> set[str]:
    return {host for host in vars(Names.of(found)).values() if isinstance(host, str)}


def ours_alone(found: Settings) -> set[str]:
    """Hosts of the stack, and its keys."""
    keys = {dkim.name(s, d) for s in found.mail.dkim.selectors for d in found.domains}
    return (hosts(found) | keys) - set(found.domains)


def questions(found: Settings, zone: str) -> Iterator[tuple[str, str]]:
    mine = ours_alone(found)
    for domain in found.domains:
        for label, kinds in MAIL.items():
            name = f"{label}{domain}"
            elsewhere = zone_of(name, zones(found)) != zone
            if elsewhere or any(name == each or name.endswith(f".{each}") for each in mine):
                continue
            # A mail domain that is a host of the stack as well has the addresses of one.
            ours = _WEB if name in hosts(found) else ()
            yield from ((name, kind) for kind in kinds if kind not in ours)


def says_the_same(kind: str, before: frozenset[str], after: frozenset[str], starred: frozenset[str]) -> bool:
    """Whether receivers do the same with both: a neutral SPF record, a DMARC policy of none and a code for the web
    application are as good as nothing, and a stricter DMARC policy is warned of (dmarc-on-hold). So is text of a wildcard,
    `starred`, which answers no more where ours stands (dns-wildcard).
    """
    if kind != "TXT":
        return before == after
    harmless = ('"kolab-verify=', '"v=DMARC1')
    added = [text for text in after - before if not text.startswith(harmless)]
    return before - starred <= after and all(text.endswith(' ?all"') for text in added)


@examples(
    max_examples=60,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.data())
def test_no_answer_about_mail_its_clients_or_its_policies_differs(data: st.DataObject) -> None:
    found = held(data.draw(settings(sound=True)))
    for zone in forward_zones(found):
        inside = tuple(d for d in found.domains if zone_of(d, zones(found)) == zone)
        there = data.draw(existing(inside)) if inside else []
        there = [record for record in there if zone_of(record.name, zones(found)) == zone]
        before = World(zone, there)
        if refused(found, zone, there, before):
            continue
        starred = frozenset(r.content for r in there if r.name.startswith("*.") and r.type == "TXT")
        after = World(zone, (*there, *zones(found)[zone]))
        for name, kind in questions(found, zone):
            was, now = before.ask(name, kind), after.ask(name, kind)
            assert says_the_same(kind, was, now, starred), (name, kind, was, now)
