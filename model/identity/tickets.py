"""Work that no program of ours can do: letters to the people who own addresses, domains and zones."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from model.identity import dmarc, ptr, tls_rpt
from model.identity.place import forward_zones
from model.identity.plan import Plan, plan
from model.identity.rdata import CNAME, NS, PTR
from model.identity.record import Record
from model.settings import Settings
from model.topology import egress_addresses


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One request to one person. `id` stays the same while the request does."""

    id: str
    whom: str
    text: str
    records: tuple[Record, ...] = ()

    def markdown(self) -> str:
        """The ticket as it can be pasted into a mail or an issue."""
        lines = "\n".join(record.render() for record in self.records)
        block = f"\n\n```\n{lines}\n```" if lines else ""
        return f"### {self.id}\n\nTo: {self.whom}\n\n{self.text}{block}\n"


def tickets(settings: Settings, later: Settings) -> tuple[Ticket, ...]:
    """All tickets of this stage. `later` is the same stack on live: the difference is what hold keeps back."""
    now, then = plan(settings), plan(later)
    return (
        *_reverse(settings, now),
        *_elsewhere(now),
        *_registrar(settings),
        *_sheets(now, then),
        *_held(now, then),
        *_mailboxes(settings),
        *_verification(settings),
    )


def markdown(found: Iterable[Ticket]) -> str:
    """All tickets as one page."""
    return "\n".join(ticket.markdown() for ticket in found)


def _reverse(settings: Settings, now: Plan) -> Iterator[Ticket]:
    for record in now.elsewhere:
        if isinstance(record.value, PTR):
            yield Ticket(
                id=f"ptr {_plain_address(record.name)}",
                whom=f"whoever gave you the address {_plain_address(record.name)} (hosting provider or network owner)",
                text=f"Please set the reverse DNS name of {_plain_address(record.name)} to {record.value.target}, and nothing else. "
                "Our mail leaves from this address, and receivers refuse it without this name.",
                records=(record,),
            )
    for address in egress_addresses(settings, announced=True):
        plain = ipaddress.ip_address(address).reverse_pointer
        child = ptr.name_of(settings, address)
        if child != plain:
            why = f"{address} is looked up in our zone."
            yield Ticket(
                id=f"rfc2317 {address}",
                whom=f"the owner of the network of {address}",
                text="Please delegate the child zone to our name servers, and point the address there (RFC 2317).",
                records=(Record(plain, CNAME(child), settings.dns.ttl, why),),
            )


def _plain_address(reverse: str) -> str:
    labels = reverse.removesuffix(".arpa").split(".")
    if labels[-1] == "in-addr":
        return ".".join(labels[-2::-1])
    digits = "".join(labels[-2::-1])
    return str(ipaddress.IPv6Address(bytes.fromhex(digits))) if len(digits) == 32 else reverse


def _elsewhere(now: Plan) -> Iterator[Ticket]:
    for record in now.elsewhere:
        if not isinstance(record.value, PTR):
            consent = "._report._dmarc." in record.name
            yield Ticket(
                id=f"record {record.name} {record.type}",
                whom=f"the owner of the zone of {record.name}",
                text=f"Please publish this record. {record.why}"
                + (" Until then receivers send no reports there." if consent else ""),
                records=(record,),
            )


def _registrar(settings: Settings) -> Iterator[Ticket]:
    for zone in forward_zones(settings):
        servers = settings.dns.nameservers
        records = tuple(
            Record(zone, NS(s), settings.dns.ttl, f"Authoritative server of {zone}.") for s in servers
        )
        named = "these name servers" if servers else "the name servers of your DNS provider"
        yield Ticket(
            id=f"delegation {zone}",
            whom=f"the registrar of {zone}, or the owner of the zone above it",
            text=f"Please delegate {zone} to {named}. Check first that they answer with the zone's present records.",
            records=records,
        )
        if settings.dns.dnssec:
            yield Ticket(
                id=f"ds {zone}",
                whom=f"the registrar of {zone}, or the owner of the zone above it",
                text=f"Please publish the DS record of {zone} as the signing servers show it (algorithm 13, digest 2). "
                "Add a new DS before the old one goes; a wrong one makes the domain vanish.",
            )


def _sheets(now: Plan, then: Plan) -> Iterator[Ticket]:
    for domain, rows in now.sheets.items():
        whom = f"the owner of {domain}"
        yield Ticket(
            id=f"sheet {domain}",
            whom=whom,
            text=f"Please publish these records in the zone of {domain}, once. Addresses, keys and policies behind them "
            "change on our side. Where an SPF record exists, add the include: to it instead of publishing a second one; "
            "where another record exists at one of the names, replace it.",
            records=rows,
        )
        known = frozenset(rows)
        more = tuple(row for row in then.sheets.get(domain, ()) if row not in known)
        if more:
            yield Ticket(
                id=f"sheet-live {domain}",
                whom=whom,
                text="Please keep these records ready and publish them at the agreed hour, not before: they lead mail and mail clients to us.",
                records=more,
            )


def _held(now: Plan, then: Plan) -> Iterator[Ticket]:
    known = frozenset(now.records)
    held = tuple(r for found in then.zones.values() for r in found if r not in known)
    if held:
        yield Ticket(
            id="hold",
            whom="yourself",
            text="mail.mx.stage is hold, so these records are not published: the domain's present server keeps its mail. "
            "Where the zone has SPF or DMARC already, join them with ours now: two of a kind void each other. "
            "Copy the mailboxes, then set it to live.",
            records=held,
        )


def _mailboxes(settings: Settings) -> Iterator[Ticket]:
    named = {
        *dmarc.every_report(settings),
        tls_rpt.rua(settings),
        settings.mail.reports.caa_iodef or f"postmaster@{settings.domain}",
        f"hostmaster@{settings.domain}",
        *((settings.mail.postmaster,) if settings.mail.postmaster else ()),
    }
    addresses = ", ".join(sorted(named))
    yield Ticket(
        id="mailboxes",
        whom="yourself",
        text=f"DNS names these addresses, so somebody must read them: {addresses}. "
        "postmaster@ and abuse@ of every domain must work too (RFC 5321 section 4.5.1, RFC 2142).",
    )


def _verification(settings: Settings) -> Iterator[Ticket]:
    if settings.hosted_domains:
        yield Ticket(
            id="verify",
            whom="yourself",
            text="Add each hosted domain in Kolab's administration and press Verify: the kolab-verify codes are among the records.",
        )
