"""Generated stack files: `settings()` draws any shape that the types allow, sensible or not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from model.settings import Settings
from tests.identity.keys import public

LABELS = st.from_regex(r"\A[a-z0-9](-?[a-z0-9]){0,5}\Z")
LONG_LABELS = st.from_regex(r"\A[a-z]{63}\Z")
TOPS = st.sampled_from(("example", "test", "org", "co.uk", "xn--p1ai"))
STAGES = ("staged", "published", "active", "retired", "revoked")
POLICIES = st.sampled_from(("none", "quarantine", "reject"))
DAYS = st.dates().map(lambda day: day.isoformat()).filter(lambda text: text[0] in "12")


def domains() -> st.SearchStrategy[str]:
    """Mail domains: ordinary, long, deep and international ones."""
    ordinary = st.builds(lambda label, top: f"{label}.{top}", LABELS, TOPS)
    deep = st.builds(lambda a, b, top: f"{a}.{b}.{top}", LONG_LABELS, LONG_LABELS, TOPS)
    return st.one_of(ordinary, ordinary, ordinary, st.sampled_from(("münchen.example", "пример.test")), deep)


def addresses(version: int, count: int = 1) -> st.SearchStrategy[list[str]]:
    """Different documentation addresses."""
    pools = {
        4: st.integers(1, 254).map(lambda n: f"198.51.100.{n}"),
        6: st.integers(1, 65535).map(lambda n: f"2001:db8::{n:x}"),
    }
    return st.lists(pools[version], min_size=count, max_size=count, unique=True)


@st.composite
def settings(draw: st.DrawFn) -> Settings:
    """Any stack file that the types accept."""
    domain = draw(domains())
    hosted = draw(st.lists(st.one_of(domains(), LABELS.map(lambda label: f"{label}.{domain}")), max_size=3))
    return Settings.model_validate(
        {
            "mode": draw(st.sampled_from(("single-node", "cluster"))),
            "example": True,
            "domain": domain,
            "hostedDomains": hosted,
            "network": draw(_network()),
            "hosts": draw(_hosts(domain, hosted)),
            "dns": draw(_dns(domain, hosted)),
            "mail": draw(_mail(domain, hosted)),
            "tls": draw(_tls(domain)),
            "tlsa": draw(
                st.sampled_from((None, {"current": "a" * 64}, {"current": "a" * 64, "next": "b" * 64}))
            ),
            "features": {"meet": draw(st.booleans()), "activesync": draw(st.booleans())},
        }
    )


@st.composite
def _network(draw: st.DrawFn) -> dict[str, Any]:
    proxy, smtp, turn, sieve, meet, shared = draw(addresses(4, 6))
    sending = draw(addresses(4, 3))
    v6 = draw(addresses(6, 2))
    egress: Any = draw(
        st.sampled_from(
            (
                None,
                {"mode": "gateway", "addresses": sending[:2]},
                {"mode": "nodes", "nodes": {"n1": [sending[0], v6[0]], "n2": [sending[1]]}},
                {"mode": "nodes", "nodes": {"n1": [shared]}},
                {"mode": "relay", "host": "relay.example"},
                {"mode": "relay", "host": "relay.example", "spfInclude": "spf.relay.example"},
            )
        )
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
    if draw(st.booleans()):
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
    names = st.one_of(
        st.builds(lambda label, above: f"{label}.{above}", LABELS, st.sampled_from((domain, *hosted))),
        st.sampled_from(
            (domain, *hosted, *(f"mta-sts.{d}" for d in (domain, *hosted)), f"mail.{domain}", f"mx.{domain}")
        ),
        domains(),
    )
    roles = draw(
        st.lists(st.sampled_from(("website", "mx", "helo", "imap", "smtp", "sieve", "turn")), max_size=2)
    )
    return {role: draw(names) for role in roles}


@st.composite
def _dns(draw: st.DrawFn, domain: str, hosted: list[str]) -> dict[str, Any]:
    zones = draw(st.sets(st.sampled_from((domain, domain, *hosted))))
    zones |= {domain} if draw(st.booleans()) else set()
    reverse = (
        "100.51.198.in-addr.arpa",
        "0-127.100.51.198.in-addr.arpa",
        "8.b.d.0.1.0.0.2.ip6.arpa",
        "nonsense",
    )
    ptr: dict[str, Any] = {"provider": "manual"}
    if draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(reverse), min_size=1, unique=True))
        ptr = {"provider": "zones", "zones": dict.fromkeys(chosen, "")}
    servers = draw(
        st.sampled_from(
            ({}, {f"ns1.{domain}": ["192.0.2.53"]}, {f"ns.{domain}": []}, {"ns1.provider.example": []})
        )
    )
    return {
        "provider": draw(st.sampled_from(("zonefile", "cloudflare"))),
        "zones": dict.fromkeys(sorted(zones), draw(st.sampled_from(("", "0" * 32)))),
        "ttl": draw(st.sampled_from((60, 3600, 86400))),
        "dnssec": draw(st.booleans()),
        "nameservers": servers,
        "ptr": ptr,
    }


@st.composite
def _mail(draw: st.DrawFn, domain: str, hosted: list[str]) -> dict[str, Any]:
    names = draw(st.lists(LABELS, max_size=4, unique=True))
    keys = {
        name: (public("weak", 1024) if draw(st.integers(0, 9)) == 0 else public(str(i)))
        for i, name in enumerate(names)
    }
    rua = st.sampled_from(
        (f"reports@{domain}", f"a!b@{(*hosted, domain)[0]}", "dmarc@reports.example", f"x@mx.{domain}")
    )
    return {
        "mx": {"stage": draw(st.sampled_from(("hold", "live")))},
        "postmaster": draw(st.sampled_from((None, f"postmaster@{domain}", f"hugo@mx.{domain}"))),
        "mtaSts": {
            "stage": draw(st.sampled_from(("none", "testing", "enforce", "removing"))),
            "since": draw(st.none() | DAYS),
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
            "selectors": {
                name: {"stage": draw(st.sampled_from(STAGES)), "publicKey": key, "since": draw(DAYS)}
                for name, key in keys.items()
            },
        },
        "reports": {"tlsRpt": draw(st.none() | rua), "caaIodef": draw(st.none() | rua)},
        "spfAll": draw(st.sampled_from(("~all", "-all"))),
    }


def _tls(domain: str) -> st.SearchStrategy[dict[str, Any]]:
    secrets = {"proxy": "proxy-tls", "mx": "mx-tls", "sieve": "sieve-tls"}
    return st.sampled_from(
        (
            {"issuer": "selfSigned"},
            {"issuer": "acme", "email": f"admin@{domain}"},
            {"issuer": "acme", "email": f"admin@{domain}", "caa": "pki.goog"},
            {"issuer": "existing", "name": "corporate", "caa": "sectigo.com"},
            {"issuer": "secrets", **secrets},
        )
    )
