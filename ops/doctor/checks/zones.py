"""The zones themselves: their servers, serials, signatures and registrations, and what resolvers keep of them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator

from model.identity.place import foreign_domains, forward_zones
from model.identity.rdata import Other
from ops.doctor.check import Check, Unseen
from ops.doctor.names import Forged, Server
from ops.doctor.visit import Visit

_EXPIRY_DAYS = 30
_TTL_FACTOR = 24


def _zones(visit: Visit) -> Iterator[str]:
    yield from visit.zones


def _silent(visit: Visit, zone: str) -> Iterator[str]:
    for server in visit.dns.servers(zone):
        try:
            answer = visit.dns.at(server, zone, "SOA")
        except Unseen as problem:
            yield str(problem)
            continue
        if not answer.authoritative or not answer.values:
            yield f"{server[0]} does not hold {zone}"


def _serials(visit: Visit, zone: str) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for server in visit.dns.servers(zone):
        try:
            values = visit.dns.at(server, zone, "SOA").values
        except Unseen:
            continue
        if values:
            found.setdefault(str(values[0]).split()[2], []).append(server[0])
    if not found:
        raise Unseen(f"no server of {zone} has told its serial")
    if len(found) > 1:
        yield "; ".join(f"serial {serial} at {', '.join(at)}" for serial, at in sorted(found.items()))


def _alone(visit: Visit, zone: str) -> Iterator[str]:
    servers = visit.dns.servers(zone)
    if len(servers) < 2:
        yield f"{zone} has one server: {servers[0][0]}"


def _ttl(visit: Visit, zone: str) -> Iterator[str]:
    for (name, kind), records in visit.planned.items():
        if name != zone:
            continue
        answer = visit.dns.published(name, kind)
        if answer.ttl > records[0].ttl * _TTL_FACTOR:
            yield f"{name} {kind} is kept for {answer.ttl} s where {records[0].ttl} s are planned"


def _resolvers(visit: Visit) -> tuple[Server, ...]:
    return visit.dns.resolvers


def _stale(visit: Visit, resolver: Server) -> Iterator[str]:
    for domain in visit.settings.domains:
        for kind in ("MX", "TXT"):
            here = visit.dns.resolved_by(resolver, domain, kind)
            there = visit.dns.published(domain, kind)
            if frozenset(here.values) != frozenset(there.values):
                yield f"{resolver[0]} still has another {kind} of {domain} than its servers"


def _dead(visit: Visit, resolver: Server) -> Iterator[str]:
    try:
        visit.dns.resolved_by(resolver, visit.settings.domain, "SOA")
    except Forged:
        # It answers; what it says is the zone's fault.
        return
    except Unseen as problem:
        yield str(problem)


def _signed(visit: Visit) -> Iterator[str]:
    if visit.settings.dns.dnssec:
        yield from forward_zones(visit.settings)


def _unsigned(visit: Visit, zone: str) -> Iterator[str]:
    if not visit.dns.resolve(zone, "DS").values:
        yield f"there is no DS record of {zone} at its parent"


def _unvalidated(visit: Visit, zone: str) -> Iterator[str]:
    # A resolver that does not validate says nothing about us.
    if not visit.dns.resolve(".", "SOA").validated:
        raise Unseen("the resolver of this machine does not validate")
    try:
        validated = visit.dns.resolve(zone, "SOA").validated
    except Forged as problem:
        yield str(problem)
        return
    if visit.dns.resolve(zone, "DS").values and not validated:
        yield f"the resolver could not validate {zone}"


def _plain(visit: Visit) -> Iterator[str]:
    if not visit.settings.dns.dnssec:
        yield from forward_zones(visit.settings)


def _no_key(visit: Visit, zone: str) -> Iterator[str]:
    if not visit.dns.resolve(zone, "DS").values:
        yield f"{zone} is not signed: who answers in its place is believed"


def _registered(visit: Visit) -> Iterator[str]:
    yield from (*forward_zones(visit.settings), *foreign_domains(visit.settings))


def _expiring(visit: Visit, domain: str) -> Iterator[str]:
    try:
        events = json.loads(visit.edge.registry(domain)).get("events", [])
    except (OSError, ValueError, AttributeError) as error:
        raise Unseen(f"the registry does not answer: {error}") from None
    for event in events:
        if event.get("eventAction") == "expiration":
            end = datetime.datetime.fromisoformat(event["eventDate"].replace("Z", "+00:00"))
            left = (end - visit.edge.now()).days
            if left < _EXPIRY_DAYS:
                yield f"{domain} is paid for until {end.date()}: {max(left, 0)} days"
            return


def _delegated(visit: Visit, zone: str) -> Iterator[str]:
    """Servers that the resolver was told by the parent, and those that the zone itself names."""
    if visit.edge.servers:
        return
    above = {str(v).lower() for v in visit.dns.resolve(zone, "NS").values}
    own = {
        str(v).lower() for v in visit.dns.published(zone, "NS").values if not isinstance(v, Other) or v.text
    }
    if own and above and own != above:
        yield f"resolvers know {', '.join(sorted(above))}, the zone names {', '.join(sorted(own))}"


CHECKS = (
    Check(
        id="zones-answer",
        concern="zones",
        promise="Every authoritative server answers for its zone.",
        reason="A part of the world does not find us, by turns.",
        fix="look at the server, and at the zone's list of servers: ./kolab dns export --stack {stack}",
        subjects=_zones,
        look=_silent,
    ),
    Check(
        id="zones-serial",
        concern="zones",
        promise="All servers of a zone have the same serial.",
        reason="Which record the world sees depends on chance.",
        fix="see why the secondary does not transfer; then ./kolab dns export --stack {stack} with a later serial",
        subjects=_zones,
        look=_serials,
        severity="warning",
    ),
    Check(
        id="zones-two-servers",
        concern="zones",
        promise="A zone has two servers or more (RFC 2182).",
        reason="When the only server is down, mail bounces after some days.",
        fix="add a second name server at the registrar and in dns.nameservers",
        subjects=lambda v: forward_zones(v.settings),
        look=_alone,
        severity="warning",
    ),
    Check(
        id="zones-delegation",
        concern="zones",
        promise="The zone names the servers that resolvers know.",
        reason="Changes reach a server that nobody asks, or nobody asks the server that has them.",
        fix="make the registrar's list and dns.nameservers equal: ./kolab dns tickets --stack {stack}",
        subjects=lambda v: forward_zones(v.settings),
        look=_delegated,
        severity="warning",
    ),
    Check(
        id="zones-ttl",
        concern="zones",
        promise="Records are not kept much longer than planned.",
        reason="A mistake or a move takes days to reach everybody.",
        fix="lower the TTL at the provider: ./kolab dns show --wide --stack {stack}",
        subjects=lambda v: forward_zones(v.settings),
        look=_ttl,
        severity="warning",
    ),
    Check(
        id="caches-agree",
        concern="caches",
        promise="Resolvers have what the servers have.",
        reason="Until the TTL is over a part of the world acts on old records.",
        fix="wait for the TTL; if it lasts, the resolver asks other servers: dig NS of the domain",
        subjects=_resolvers,
        look=_stale,
        severity="warning",
    ),
    Check(
        id="caches-answer",
        concern="caches",
        promise="The resolvers of this machine answer.",
        reason="Nothing that is asked of them can be checked.",
        fix="mend /etc/resolv.conf of this machine, or name another with --resolver",
        subjects=_resolvers,
        look=_dead,
        severity="warning",
    ),
    Check(
        id="dnssec-ds",
        concern="dnssec",
        promise="The parent has a DS record of each zone that is said to be signed.",
        reason="dns.dnssec promises DANE that nobody can verify.",
        fix="./kolab dns tickets --stack {stack}: hand the DS record to the registrar, or set dns.dnssec: false",
        subjects=_signed,
        look=_unsigned,
    ),
    Check(
        id="dnssec-validates",
        concern="dnssec",
        promise="Signatures of the zone hold.",
        reason="Validating resolvers, half of the world, do not find us at all.",
        fix="compare DS and DNSKEY of the zone; a wrong DS has to leave the registrar",
        subjects=_signed,
        look=_unvalidated,
    ),
    Check(
        id="dnssec-signed",
        concern="dnssec",
        promise="Zones are signed.",
        reason="MX, keys and policies can be forged on their way, and DANE protects nobody.",
        fix="sign {subject} at the DNS provider, hand its DS record to the registrar; then dns.dnssec: true",
        subjects=_plain,
        look=_no_key,
        severity="warning",
    ),
    Check(
        id="domain-expiry",
        concern="registration",
        promise="The domain is paid for.",
        reason="An expired domain loses its mail to whoever buys it.",
        fix="renew {subject} at its registrar",
        subjects=_registered,
        look=_expiring,
    ),
)
