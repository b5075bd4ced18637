"""Stack files for tests: one that uses everything, and small changes of it."""

from __future__ import annotations

import copy
from typing import Any

from model.findings import Finding
from model.rules import mail
from model.settings import Settings
from tests.identity.keys import public

FOREIGN = "xn--mnchen-3ya.example"
"""A hosted domain in its owner's zone, written in Unicode in the stack file."""


def raw() -> dict[str, Any]:
    """A live cluster: two hosted domains, one foreign; IPv6; DNSSEC; all life cycles under way."""
    return {
        "mode": "cluster",
        "example": True,
        "domain": "example.org",
        "hostedDomains": ["example.net", "münchen.example"],
        "network": {
            "addresses": {
                "proxy": "192.0.2.10",
                "smtp": ["10.0.0.11", "2001:db8::11"],
                "turn": "192.0.2.12",
                "sieve": "192.0.2.13",
                "meet": "192.0.2.14",
            },
            "public": {"10.0.0.11": "192.0.2.11"},
            "egress": {
                "mode": "nodes",
                "nodes": {"n1": ["198.51.100.3", "2001:db8:1::3"], "n2": ["198.51.100.9"]},
            },
        },
        "dns": {
            "zones": {"example.org": "", "example.net": ""},
            "dnssec": True,
            "nameservers": {"ns1.example.org": ["192.0.2.53"], "ns2.provider.example": []},
            "ptr": {
                "provider": "zones",
                "zones": {"0-15.100.51.198.in-addr.arpa": "", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": ""},
            },
        },
        "mail": {
            "mx": {"stage": "live"},
            "postmaster": "admin@example.org",
            "mtaSts": {"stage": "enforce", "maxAge": 1209600},
            "dmarc": {"policy": "quarantine", "subdomainPolicy": "reject"},
            "dkim": {
                "reserved": ["k4"],
                "selectors": {
                    "k0": {"stage": "revoked", "publicKey": public("zero"), "since": "2026-03-01"},
                    "k1": {"stage": "active", "publicKey": public("one"), "since": "2026-03-01"},
                    "k2": {"stage": "published", "publicKey": public("two"), "since": "2026-09-01"},
                    "k3": {"stage": "staged", "publicKey": public("three"), "since": "2026-09-01"},
                },
            },
        },
        "tls": {
            "issuer": "acme",
            "email": "admin@example.org",
            "accountUri": "https://acme-v02.api.letsencrypt.org/acme/acct/1",
        },
        "tlsa": {"current": "a" * 64, "next": "b" * 64},
        "monitoring": {
            "alerts": {"webhook": "https://alerts.example.com", "heartbeat": "https://alive.example.com"}
        },
    }


def stack(**changes: Any) -> Settings:
    """The full stack with changes, each named by its path: mail__mx__stage="hold". None removes the key."""
    values = copy.deepcopy(raw())
    for path, value in changes.items():
        *above, last = path.split("__")
        node = values
        for key in above:
            node = node.setdefault(key, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    return Settings.model_validate(values)


def selectors(**stages: str) -> dict[str, Any]:
    """DKIM selectors by stage, each with a key of its own: k1="active" or k1="active 2026-03-01"."""
    found = {}
    for name, text in stages.items():
        stage, _, since = text.partition(" ")
        found[name] = {"stage": stage, "publicKey": public(name), "since": since or "2026-03-01"}
    return found


def findings(settings: Settings) -> list[Finding]:
    """What the mail rules say, errors and warnings."""
    return [finding for rule in mail.RULES for finding in rule(settings)]


def rules(settings: Settings) -> set[str]:
    """Ids of the rules that found something."""
    return {finding.rule for finding in findings(settings)}
