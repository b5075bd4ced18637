"""Blocklists, with their answers understood: a list that refuses us says nothing about our addresses (RFC 5782)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from ops.doctor.check import Check, Unseen
from ops.doctor.visit import Visit

_ADDRESS_LISTS = ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com")
_DOMAIN_LISTS = ("dbl.spamhaus.org",)
_REFUSED = {
    "127.255.255.252": "the name of the list is written wrong",
    "127.255.255.254": "it refuses public resolvers: ask through a resolver of your own, --resolver",
    "127.255.255.255": "it refuses us for asking too often",
}
"""Answers that are no listings (Spamhaus, DNSBL usage: return codes)."""
_MEANINGS = {
    "127.0.0.2": "spam was seen (SBL)",
    "127.0.0.3": "spam of the subtle kind was seen (CSS)",
    "127.0.0.4": "a program on that machine sends spam (XBL)",
    "127.0.0.9": "the network is in the hands of criminals (DROP)",
    "127.0.0.10": "the provider says that no mail may come from there (PBL)",
    "127.0.0.11": "no mail is expected from there (PBL)",
}


@dataclass(frozen=True)
class Entry:
    """An address or a domain, and the list that is asked about it."""

    what: str
    listed_at: str

    def __str__(self) -> str:
        return f"{self.what} at {self.listed_at}"


def _addresses(visit: Visit) -> Iterator[Entry]:
    yield from (Entry(address, name) for address in visit.egress for name in _ADDRESS_LISTS)


def _domains(visit: Visit) -> Iterator[Entry]:
    yield from (Entry(domain, name) for domain in visit.settings.domains for name in _DOMAIN_LISTS)


def _codes(visit: Visit, question: str) -> list[str]:
    codes = [str(value) for value in visit.dns.resolve(question, "A").values]
    for code in codes:
        if code in _REFUSED:
            raise Unseen(f"{question.split('.', 4)[-1]} says nothing: {_REFUSED[code]}")
    # Anything else is a resolver that sells advertisements in place of names that do not exist.
    return [code for code in codes if code.startswith("127.")]


def _test(visit: Visit, test: str, name: str) -> None:
    if not _codes(visit, f"{test}.{name}"):
        raise Unseen(f"{name} does not list its own test entry: it is gone, or refuses this resolver")


def _address_listed(visit: Visit, entry: Entry) -> Iterator[str]:
    _test(visit, "2.0.0.127", entry.listed_at)
    pointer = ipaddress.ip_address(entry.what).reverse_pointer.rsplit(".", 2)[0]
    for code in _codes(visit, f"{pointer}.{entry.listed_at}"):
        yield f"{entry.what} is on {entry.listed_at}: {_MEANINGS.get(code, code)}"


def _domain_listed(visit: Visit, entry: Entry) -> Iterator[str]:
    _test(visit, "dbltest.com", entry.listed_at)
    for code in _codes(visit, f"{entry.what}.{entry.listed_at}"):
        yield f"{entry.what} is on {entry.listed_at}: {code}"


CHECKS = (
    Check(
        id="blocklist-address",
        concern="reputation",
        promise="No egress address is on a blocklist that receivers use.",
        reason="Receivers refuse our mail.",
        fix="find who sends: kubectl -n {namespace} exec postfix-0 -c postfix -- postqueue -p; stop it, and only then ask the list to remove the address",
        subjects=_addresses,
        look=_address_listed,
    ),
    Check(
        id="blocklist-domain",
        concern="reputation",
        promise="No mail domain is on a blocklist that receivers use.",
        reason="Receivers refuse mail that mentions the domain.",
        fix="find what was sent in its name, and only then ask the list to remove it",
        subjects=_domains,
        look=_domain_listed,
    ),
)
