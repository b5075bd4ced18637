"""What name servers say, asked one by one: a resolver's cache may still show yesterday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from ops.stacks import StackProblem

_TIMEOUT = 5.0
"""Seconds to wait for one server."""


def servers_of(name: str, given: Sequence[str] = ()) -> list[tuple[str, int]]:
    """Addresses and ports of all authoritative servers of the zone that holds `name`.

    `given` (address or address:port, IPv6 in brackets) replaces them. Raises StackProblem when they cannot be found.
    """
    if given:
        return [_address(text) for text in given]
    try:
        zone = dns.resolver.zone_for_name(name)
        hosts = [str(answer.target) for answer in dns.resolver.resolve(zone, "NS")]
        return [(address, 53) for host in hosts for address in _addresses(host)]
    except dns.exception.DNSException as error:
        raise StackProblem(
            f"the name servers of {name} cannot be found: {error}; name them with --server"
        ) from None


@dataclass(frozen=True)
class Found:
    """One record set of one server."""

    ttl: int = 0
    values: tuple[str, ...] = ()
    """In presentation format, as the server has it."""


def rrset_at(server: tuple[str, int], name: str, kind: str) -> Found:
    """The record set of `name` at one server; empty when there is none. An alias is not followed.

    Raises StackProblem when the server does not answer, or not as one of the zone's own.
    """
    query = dns.message.make_query(name, kind)
    # A resolver that is asked by mistake shall not answer from its cache.
    query.flags &= ~dns.flags.RD
    try:
        answer, _ = dns.query.udp_with_fallback(query, server[0], port=server[1], timeout=_TIMEOUT)
    except (dns.exception.DNSException, OSError) as error:
        raise StackProblem(f"name server {server[0]} does not answer for {name}: {error}") from None
    known = answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    if not known or not answer.flags & dns.flags.AA:
        said = "is no authority" if known else f"answers {dns.rcode.to_text(answer.rcode())}"
        raise StackProblem(
            f"name server {server[0]} {said} for {name}: it does not hold the zone, or not yet"
        )
    wanted = dns.rdatatype.from_text(kind)
    owner = dns.name.from_text(name)
    rrsets = [rrset for rrset in answer.answer if rrset.rdtype == wanted and rrset.name == owner]
    values = tuple(text_of(rdata) for rrset in rrsets for rdata in rrset)
    return Found(rrsets[0].ttl if rrsets else 0, values)


def delegation_at(server: tuple[str, int], name: str, zone: str) -> tuple[str, str] | None:
    """Owner and a name server of what `zone` hands to somebody else at `name` or above it; None when it answers itself.

    Raises StackProblem when the server does not answer.
    """
    query = dns.message.make_query(name, "NS")
    query.flags &= ~dns.flags.RD
    try:
        answer, _ = dns.query.udp_with_fallback(query, server[0], port=server[1], timeout=_TIMEOUT)
    except (dns.exception.DNSException, OSError) as error:
        raise StackProblem(f"name server {server[0]} does not answer for {name}: {error}") from None
    top = dns.name.from_text(zone)
    for rrset in (*answer.authority, *answer.answer):
        if rrset.rdtype == dns.rdatatype.NS and rrset.name != top and rrset.name.is_subdomain(top):
            return str(rrset.name).rstrip(".").lower(), str(rrset[0].target).rstrip(".")
    return None


def rdata_at(server: tuple[str, int], name: str, kind: str) -> list[str]:
    """The values alone."""
    return list(rrset_at(server, name, kind).values)


def serial_at(server: tuple[str, int], zone: str) -> int:
    """The SOA serial of `zone` at one server. Raises StackProblem when there is none."""
    found = rdata_at(server, zone, "SOA")
    if not found:
        raise StackProblem(f"name server {server[0]} has no SOA record of {zone}")
    return int(found[0].split()[2])


def _addresses(host: str) -> list[str]:
    """Addresses of a name server; IPv6 only where there is nothing else, since not every machine has it."""
    try:
        return [str(answer) for answer in dns.resolver.resolve(host, "A")]
    except dns.resolver.NoAnswer:
        return [str(answer) for answer in dns.resolver.resolve(host, "AAAA")]


def text_of(rdata: Any) -> str:
    """One value in presentation format, as ours is written."""
    # dnspython breaks long hex and base64 for reading; our own presentation does not.
    if rdata.rdtype == dns.rdatatype.TLSA:
        return f"{rdata.usage} {rdata.selector} {rdata.mtype} {rdata.cert.hex()}"
    return str(rdata.to_text())


def _address(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, int(port.lstrip(":") or 53)
    host, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    return host, int(port or 53)
