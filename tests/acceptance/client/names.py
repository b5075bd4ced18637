"""Names, as the resolver of this network knows them."""

from __future__ import annotations

import json

import dns.resolver


def records(*questions: str) -> str:
    """Answers to questions like `example.org/MX`: lines of zone files with their time to live, as JSON."""
    return json.dumps({question: _answers(*question.split("/")) for question in questions})


def _answers(name: str, kind: str) -> list[str]:
    try:
        found = dns.resolver.resolve(name, kind, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    assert found.rrset is not None
    return [f"{found.canonical_name} {found.rrset.ttl} IN {kind} {data.to_text()}" for data in found]
