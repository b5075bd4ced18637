"""Generated stack files: `settings()` draws any shape that the types allow, `settings(sound=True)` what can work.

Sound ones still vary in everything that an operator may choose; the rules have the last word about them.
"""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import strategies as st

from model.settings import Settings
from tests.identity.keys import public

T = TypeVar("T")
LABELS = st.from_regex(r"\A[a-z0-9](-?[a-z0-9]){0,5}\Z")
LONG_LABELS = st.from_regex(r"\A[a-z]{63}\Z")
TOPS = st.sampled_from(("example", "test", "org", "co.uk", "xn--p1ai"))
STAGES = ("staged", "published", "active", "retired", "revoked")
POLICIES = st.sampled_from(("none", "quarantine", "reject"))
DAYS = st.dates().map(lambda day: day.isoformat())


def domains(*, sound: bool = False) -> st.SearchStrategy[str]:
    """Mail domains: ordinary and international ones, and if need be some that leave DNS no room."""
    ordinary = st.builds(lambda label, top: f"{label}.{top}", LABELS, TOPS)
    international = st.sampled_from(("münchen.example", "пример.test"))
    if sound:
        return ordinary | international
    deep = st.builds(lambda a, b, top: f"{a}.{b}.{top}", LONG_LABELS, LONG_LABELS, TOPS)
    return st.one_of(ordinary, ordinary, ordinary, international, deep)


def addresses(version: int, count: int = 1) -> st.SearchStrategy[list[str]]:
    """Different documentation addresses."""
    pools = {
        4: st.integers(1, 254).map(lambda n: f"198.51.100.{n}"),
        6: st.integers(1, 65535).map(lambda n: f"2001:db8::{n:x}"),
    }
    return st.lists(pools[version], min_size=count, max_size=count, unique=True)


@st.composite
def settings(draw: st.DrawFn, sound: bool | None = None) -> Settings:
    """Any stack file that the types accept; half of them sound unless told."""
    if sound is None:
        sound = draw(st.booleans())
    domain = draw(domains(sound=sound))
    other = st.one_of(domains(sound=sound), LABELS.map(lambda label: f"{label}.{domain}"))
    hosted = draw(st.lists(other, max_size=3))
    secrets = {"proxy": "proxy-tls", "mx": "mx-tls", "sieve": "sieve-tls"}
    acme = {"issuer": "acme", "email": f"admin@{domain}"}
    return Settings.model_validate(
        {
            "mode": draw(st.sampled_from(("single-node", "cluster"))),
            "example": True,
            "domain": domain,
            "hostedDomains": hosted,
            "network": draw(_network(sound)),
            "hosts": {} if sound and draw(st.booleans()) else draw(_hosts(domain, hosted)),
            "dns": draw(_dns(domain, hosted, sound)),
            "mail": draw(_mail(domain, hosted, sound)),
            "tls": _pick(
                draw,
                sound,
                (acme, {"issuer": "existing", "name": "corporate", "caa": "sectigo.com"}),
                ({"issuer": "selfSigned"}, {**acme, "caa": "pki.goog"}, {"issuer": "secrets", **secrets}),
            ),
            "tlsa": draw(
                st.sampled_from((None, {"current": "a" * 64}, {"current": "a" * 64, "next": "b" * 64}))
            ),
            "features": {"meet": draw(st.booleans()), "activesync": draw(st.booleans())},
        }
    )


def _pick(draw: st.DrawFn, sound: bool, good: tuple[T, ...], bad: tuple[T, ...]) -> T:
    """One of the good values; of the bad ones too when the stack need not be sound."""
    return draw(st.sampled_from(good if sound else (*good, *bad)))


@st.composite
def _network(draw: st.DrawFn, sound: bool) -> dict[str, Any]:
    proxy, smtp, turn, sieve, meet, shared = draw(addresses(4, 6))
    sending = draw(addresses(4, 3))
    v6 = draw(addresses(6, 2))
    relay = {"mode": "relay", "host": "relay.example"}
    egress: Any = _pick(
        draw,
        sound,
        (
            {"mode": "gateway", "addresses": sending[:2]},
            {"mode": "nodes", "nodes": {"n1": [sending[0], v6[0]], "n2": [sending[1]]}},
            {"mode": "nodes", "nodes": {"n1": [shared]}},
            {**relay, "spfInclude": "spf.relay.example"},
        ),
        (None, relay),
    )
    values: dict[str, Any] = {
        "addresses": {
            "all": shared,
            "proxy": proxy,
            "smtp": draw(st.sampled_from(([smtp], [smtp, v6[1]]))),
            "turn": turn,
            "sieve": sieve,
            "meet": meet,
        },
        "egress": egress,
        "announcedEgress": draw(st.sampled_from(([], [sending[2]]))),
    }
    if not sound and draw(st.booleans()):
        values["addresses"] = {"all": shared}
    if draw(st.integers(0, 4)) == 0:
        values["ingress"] = {
            "className": "nginx",
            "namespace": "ingress",
            "controllerCidr": "10.42.1.0/24",
            "addresses": draw(st.sampled_from(([], ["203.0.113.80", "2001:db8:80::1"]))),
        }
    return values


@st.composite
def _hosts(draw: st.DrawFn, domain: str, hosted: list[str]) -> dict[str, str]:
    every = (domain, *hosted)
    names = st.one_of(
        st.builds(lambda label, above: f"{label}.{above}", LABELS, st.sampled_from(every)),
        st.sampled_from((*every, *(f"mta-sts.{d}" for d in every), f"mail.{domain}", f"mx.{domain}")),
        domains(),
    )
    chosen = st.sampled_from(("website", "mx", "helo", "imap", "smtp", "sieve", "turn"))
    return {role: draw(names) for role in draw(st.lists(chosen, max_size=2))}


@st.composite
def _dns(draw: st.DrawFn, domain: str, hosted: list[str], sound: bool) -> dict[str, Any]:
    zones = draw(st.sets(st.sampled_from((domain, *hosted))))
    zones |= {domain} if sound else set()
    reverse = ("100.51.198.in-addr.arpa", "0-127.100.51.198.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa")
    ptr: dict[str, Any] = {"provider": "manual"}
    if draw(st.booleans()):
        allowed = reverse if sound else (*reverse, "nonsense")
        chosen = draw(st.lists(st.sampled_from(allowed), min_size=1, unique=True))
        ptr = {"provider": "zones", "zones": dict.fromkeys(chosen, "")}
    servers: Any = _pick(
        draw,
        sound,
        ({}, {f"ns1.{domain}": ["192.0.2.53"], "ns2.provider.example": []}),
        ({f"ns.{domain}": []},),
    )
    return {
        "provider": draw(st.sampled_from(("zonefile", "cloudflare"))),
        "zones": dict.fromkeys(sorted(zones), _pick(draw, sound, ("0" * 32,), ("",))),
        "ttl": draw(st.sampled_from((60, 3600, 86400))),
        "dnssec": draw(st.booleans()),
        "nameservers": servers,
        "ptr": ptr,
    }


@st.composite
def _mail(draw: st.DrawFn, domain: str, hosted: list[str], sound: bool) -> dict[str, Any]:
    good = (f"reports@{domain}", f"a!b@{(*hosted, domain)[0]}", "dmarc@reports.example")
    rua = st.sampled_from(good if sound else (*good, f"x@mx.{domain}"))
    return {
        "mx": {"stage": draw(st.sampled_from(("hold", "live")))},
        "postmaster": _pick(draw, sound, (f"postmaster@{domain}",), (None, f"hugo@mx.{domain}")),
        "mtaSts": {
            "stage": draw(st.sampled_from(("none", "testing", "enforce", "removing"))),
            "since": draw(DAYS if sound else st.none() | DAYS),
        },
        "dmarc": {
            "policy": draw(POLICIES),
            "subdomainPolicy": draw(st.none() | POLICIES),
            "nonexistentPolicy": draw(st.none() | POLICIES),
            "testing": draw(st.booleans()),
            "rua": draw(st.lists(rua, max_size=2, unique=True)),
        },
        "dkim": {
            "reserved": draw(st.lists(LABELS, max_size=1)),
            "selectors": draw(_selectors(sound)),
        },
        "reports": {"tlsRpt": draw(st.none() | rua), "caaIodef": draw(st.none() | rua)},
        "spfAll": draw(st.sampled_from(("~all", "-all"))),
    }


@st.composite
def _selectors(draw: st.DrawFn, sound: bool) -> dict[str, Any]:
    found = {}
    names = draw(st.lists(LABELS, min_size=1 if sound else 0, max_size=4, unique=True))
    for index, name in enumerate(names):
        weak = not sound and draw(st.integers(0, 5)) == 0
        stages = ("active",) if index == 0 else tuple(s for s in STAGES if s != "active")
        found[name] = {
            "stage": draw(st.sampled_from(stages if sound else STAGES)),
            "publicKey": public("weak", 1024) if weak else public(str(index)),
            "since": draw(DAYS),
        }
    return found
