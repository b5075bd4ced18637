"""What a mail server thinks of a message that arrives, as the standards have it. DNS is asked through a function."""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.policy import SMTP
from typing import Any
from unittest.mock import patch

import dkim
import dns.reversename
import spf
from checkdmarc.dmarc import parse_dmarc_record
from checkdmarc.utils import get_base_domain

Lookup = Callable[[str, str], Sequence[Any]]
"""Records of a name and type where its aliases lead; none when there are none."""


@dataclass(frozen=True)
class Arrival:
    """A message and how it came: the address of the client, its HELO, the envelope's sender."""

    client: str
    helo: str
    sender: str
    content: bytes

    @property
    def author(self) -> str:
        """Domain of the one author in From; empty when there are none or several, which nobody can vouch for."""
        message = email.message_from_bytes(self.content, policy=SMTP)
        found = [address for field in message.get_all("From", []) for address in field.addresses]
        return found[0].domain.lower() if len(found) == 1 else ""

    @property
    def responsible(self) -> str:
        """The domain that SPF vouches for: the sender's, or that of HELO for reports, which have no sender (RFC 7208
        section 2.4)."""
        return (self.sender.rpartition("@")[2] or self.helo).lower()


@dataclass(frozen=True)
class Verdict:
    """All that can be said of a message without reading it."""

    client: str
    helo: str
    author: str
    names: tuple[str, ...]
    """Names of the client's address that lead back to it (RFC 8601 section 2.7.3)."""
    helo_spf: str
    spf: str
    dkim: dict[str, bool]
    """Signing domain -> whether its signature holds."""
    dmarc: str
    """pass or fail; none without a policy (RFC 7489)."""
    aligned: tuple[str, ...]
    """What DMARC rests on: spf, dkim or both."""


def receive(arrival: Arrival, lookup: Lookup) -> Verdict:
    """The verdict on one message."""
    sender_spf = _spf(arrival, arrival.sender, lookup)
    signatures = dict(_signatures(arrival.content, lookup))
    policy = _policy(arrival.author, lookup)
    vouched = {
        "spf": [arrival.responsible] if sender_spf == "pass" else [],
        "dkim": [domain for domain, holds in signatures.items() if holds],
    }
    aligned = tuple(
        how
        for how, domains in vouched.items()
        if policy and any(_aligned(domain, arrival.author, policy[f"a{how}"]["value"]) for domain in domains)
    )
    return Verdict(
        client=arrival.client,
        helo=arrival.helo,
        author=arrival.author,
        names=tuple(_confirmed(arrival.client, lookup)),
        helo_spf=_spf(arrival, "", lookup),
        spf=sender_spf,
        dkim=signatures,
        dmarc=("pass" if aligned else "fail") if policy else "none",
        aligned=aligned,
    )


def _confirmed(address: str, lookup: Lookup) -> Iterator[str]:
    for pointer in lookup(str(dns.reversename.from_address(address)).rstrip("."), "PTR"):
        name = str(pointer.target).rstrip(".").lower()
        if address in {record.address for kind in ("A", "AAAA") for record in lookup(name, kind)}:
            yield name


def _spf(arrival: Arrival, sender: str, lookup: Lookup) -> str:
    """Result for the sender; for HELO when the sender is empty."""

    def asked(name: str, kind: str, *_: object) -> list[tuple[tuple[str, str], Any]]:
        return [((name, kind), _plain(record, kind)) for record in lookup(name, kind)]

    # The library's own place for another resolver.
    with patch.object(spf, "DNSLookup", asked):
        result, _ = spf.check2(arrival.client, sender, arrival.helo)
    return str(result)


def _plain(record: Any, kind: str) -> Any:
    match kind:
        case "A" | "AAAA":
            return record.address
        case "MX":
            return record.preference, str(record.exchange)
        case "PTR":
            return str(record.target)
        case _:
            return record.strings


def _signatures(content: bytes, lookup: Lookup) -> Iterator[tuple[str, bool]]:
    def text(name: bytes, timeout: int = 5) -> bytes | None:
        found = _texts(name.decode().rstrip("."), lookup)
        return found[0] if len(found) == 1 else None

    message = email.message_from_bytes(content, policy=SMTP)
    for number in range(len(message.get_all("DKIM-Signature", []))):
        signature = dkim.DKIM(content)
        try:
            holds = signature.verify(number, dnsfunc=text)
        except dkim.DKIMException:
            holds = False
        yield (signature.domain or b"").decode(), holds


def _policy(author: str, lookup: Lookup) -> Any:
    """Tags of the author's domain, or else of its organisation; None without a policy (RFC 7489 section 6.6.3)."""
    for domain in dict.fromkeys((author, get_base_domain(author))) if author else ():
        found = [text for text in _texts(f"_dmarc.{domain}", lookup) if text.startswith(b"v=DMARC1")]
        if len(found) == 1:
            return parse_dmarc_record(found[0].decode(), domain)["tags"]
    return None


def _aligned(domain: str, author: str, mode: str) -> bool:
    """Strict: the same domain; relaxed: the same organisation (RFC 7489 section 3.1)."""
    return domain == author or (mode == "r" and get_base_domain(domain) == get_base_domain(author))


def _texts(name: str, lookup: Lookup) -> list[bytes]:
    return [b"".join(record.strings) for record in lookup(name, "TXT")]
