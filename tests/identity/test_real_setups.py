"""Set-ups of organisations that publish their zones, under example names: what they have is what a stack file says.

Each differs from the original in what its test names: SPF lists addresses where they write `a:` or an include of
themselves, a policy id is a digest where they write a date, and MX of servers that are not this stack's stay theirs.
"""

from __future__ import annotations

from typing import Any

from model.identity import records
from model.identity.answers import Answers
from model.settings import Settings
from tests.identity.stacks import selectors, stack

_LE = {"issuer": "existing", "name": "letsencrypt", "caa": "letsencrypt.org"}


def organisation(domain: str, hosted: tuple[str, ...] = (), **changes: Any) -> Settings:
    base: dict[str, Any] = {
        "domain": domain,
        "hostedDomains": list(hosted),
        "dns__zones": {domain: ""},
        "dns__ptr": None,
        "dns__nameservers": {},
        "mail__postmaster": f"postmaster@{domain}",
        "mail__dkim__selectors": selectors(k1="active"),
        "mail__dkim__reserved": [],
        "tls": _LE,
        "hosts": {},
    }
    return stack(**{**base, **changes})


def at(settings: Settings, name: str, kind: str) -> set[str]:
    return {str(value) for value in Answers(records(settings)).ask(name, kind)}


def text(settings: Settings, name: str, start: str) -> str:
    (found,) = Answers(records(settings)).text(name, start)
    return found


def test_a_map_project_receives_for_six_names_at_one_host_with_both_families() -> None:
    names = ("messages", "noreply", "otrs", "community", "supporting")
    made = organisation(
        "maps.example",
        tuple(f"{name}.maps.example" for name in names),
        hosts={"mx": "a.mx.maps.example"},
        network__egress={"mode": "gateway", "addresses": ["198.51.100.98", "2001:db8:1::2", "198.51.100.99"]},
        mail__spfAll="-all",
        mail__dmarc={"policy": "none", "nonexistentPolicy": None, "rua": ["maps-d@dmarc.example.com"]},
        mail__reports={"tlsRpt": "maps-d@tlsrpt.example.com"},
    )
    for domain in ("maps.example", *(f"{name}.maps.example" for name in names)):
        assert at(made, domain, "MX") == {"10 a.mx.maps.example."}
    assert {len(at(made, "a.mx.maps.example", kind)) for kind in ("A", "AAAA")} == {1}
    # Theirs lists the two neighbours one by one.
    assert text(made, "maps.example", "v=spf1") == "v=spf1 ip4:198.51.100.98/31 ip6:2001:db8:1::2 -all"
    assert text(made, "_dmarc.maps.example", "v=DMARC1") == (
        "v=DMARC1; p=none; rua=mailto:maps-d@dmarc.example.com"
    )
    assert (
        text(made, "_smtp._tls.maps.example", "v=TLSRPTv1")
        == "v=TLSRPTv1; rua=mailto:maps-d@tlsrpt.example.com"
    )


def test_its_foundation_keeps_a_provider_at_its_domain_and_has_one_name_here() -> None:
    made = organisation(
        "foundation.example",
        ("join.foundation.example",),
        mail__spfAll="-all",
        domains={
            "foundation.example": {
                "stage": "hold",
                "senders": {
                    "includes": ["provider.example", "_spf.office.example"],
                    "counted": {"provider.example": 0, "_spf.office.example": 3},
                },
            }
        },
        mail__mx={"stage": "live"},
    )
    # Theirs names the provider's three servers, which this stack neither makes nor takes away.
    assert at(made, "foundation.example", "MX") == set()
    assert at(made, "join.foundation.example", "MX") == {"10 mx.foundation.example."}
    assert text(made, "foundation.example", "v=spf1").endswith(
        " include:provider.example include:_spf.office.example -all"
    )


def test_an_operating_system_allows_one_authority_critically_and_nobody_wildcards() -> None:
    made = organisation(
        "os.example", dns__caa={"critical": True, "issuewild": [], "iodef": "infra+caa@os.example"}
    )
    assert at(made, "os.example", "CAA") == {
        '128 issue "letsencrypt.org"',
        '128 issuewild ";"',
        # Theirs is critical too; a report address binds no authority (RFC 8659 section 4.4).
        '0 iodef "mailto:infra+caa@os.example"',
    }


def test_an_encyclopedia_has_two_mx_three_authorities_and_networks_of_its_own() -> None:
    made = organisation(
        "wiki.example",
        hosts={"mx": "mx1001.wiki.example"},
        mail__mx={"stage": "live", "others": [{"host": "mx2001.wiki.example", "preference": 50}]},
        mail__senders={
            "networks": ["203.0.113.0/25", "2001:db8:860::/46"],
            "includes": ["_spf.office.example"],
            "counted": {"_spf.office.example": 3},
        },
        mail__dmarc={
            "policy": "none",
            "subdomainPolicy": "none",
            "nonexistentPolicy": None,
            "rua": ["dmarc-rua@wiki.example"],
            "ruf": ["dmarc-ruf@wiki.example"],
        },
        dns__caa={
            "issue": ["digicert.com", "globalsign.com"],
            "issuewild": ["digicert.com", "globalsign.com"],
            "iodef": "dns-admin@wiki.example",
        },
    )
    assert at(made, "wiki.example", "MX") == {"10 mx1001.wiki.example.", "50 mx2001.wiki.example."}
    assert at(made, "wiki.example", "CAA") == {
        '0 issue "letsencrypt.org"',
        '0 issue "digicert.com"',
        '0 issue "globalsign.com"',
        '0 issuewild "digicert.com"',
        '0 issuewild "globalsign.com"',
        '0 iodef "mailto:dns-admin@wiki.example"',
    }
    assert text(made, "wiki.example", "v=spf1").endswith(
        " ip4:203.0.113.0/25 ip6:2001:db8:860::/46 include:_spf.office.example ~all"
    )
    assert text(made, "_dmarc.wiki.example", "v=DMARC1") == (
        "v=DMARC1; p=none; sp=none; rua=mailto:dmarc-rua@wiki.example; ruf=mailto:dmarc-ruf@wiki.example"
    )


def test_a_distribution_has_the_same_policies_at_each_of_its_names() -> None:
    names = ("aur", "master-key", "gitlab")
    made = organisation(
        "distro.example",
        tuple(f"{name}.distro.example" for name in names),
        hosts={"mx": "mail.distro.example", "helo": "mail.distro.example"},
        network__addresses={
            **_CLUSTER,
            "smtp": ["192.0.2.11", "2001:db8::11"],
        },
        network__public={},
        network__egress={"mode": "gateway", "addresses": ["192.0.2.11", "2001:db8::11"]},
        mail__dmarc={
            "policy": "none",
            "nonexistentPolicy": None,
            "rua": ["dmarc-reports@distro.example"],
            "ruf": ["dmarc-reports@distro.example"],
        },
        mail__reports={"tlsRpt": "postmaster@distro.example"},
    )
    for domain in ("distro.example", *(f"{name}.distro.example" for name in names)):
        assert at(made, domain, "MX") == {"10 mail.distro.example."}
        assert text(made, domain, "v=spf1") == "v=spf1 ip4:192.0.2.11 ip6:2001:db8::11 ~all"
        assert text(made, f"_smtp._tls.{domain}", "v=TLSRPTv1").endswith(
            "rua=mailto:postmaster@distro.example"
        )
        # Theirs has one policy record and aliases of it; the policy is the same here too.
        policy = text(made, f"_mta-sts.{domain}", "v=STSv1")
        assert policy == text(made, "_mta-sts.distro.example", "v=STSv1")
        # Theirs has a second key, Ed25519: Amavis signs with RSA only.
        assert text(made, f"k1._domainkey.{domain}", "v=DKIM1").startswith("v=DKIM1; k=rsa;")
    assert text(made, "_dmarc.distro.example", "v=DMARC1") == (
        "v=DMARC1; p=none; rua=mailto:dmarc-reports@distro.example; ruf=mailto:dmarc-reports@distro.example"
    )


_CLUSTER = {"proxy": "192.0.2.10", "turn": "192.0.2.12", "sieve": "192.0.2.13", "meet": "192.0.2.14"}
