"""Hosted domains in zones of somebody else: a sheet that the owner publishes once, bodies that live with us.

Where the owner's name points:
- `_dmarc`, `_mta-sts`, `_smtp._tls`: to `<the same name>._hosted.<primary domain>`, a body of the domain's own, so
  that one domain may get a policy of its own later without asking its owner again;
- DKIM selectors, SRV services, `mta-sts.`, `autoconfig.`, `autodiscover.`: to the same name of the primary domain,
  since the key, the services and the hosts are the same; certificate authorities follow the CNAME to our CAA;
- `_acme-challenge.<host>`: to `_acme-challenge.<host>._hosted.<primary domain>`, where the issuer writes;
- the domain itself cannot be a CNAME: MX and one `include:` in its SPF, both to names that never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from model.identity import dkim, spf
from model.identity.rdata import CNAME, TXT
from model.identity.record import Record
from model.settings import Settings

_OWN_BODY = ("_dmarc", "_mta-sts", "_smtp._tls")
_WEB = ("mta-sts", "autoconfig", "autodiscover")


@dataclass(frozen=True)
class Delegated:
    """One foreign domain: what its owner publishes, and the bodies in our zone that those names lead to."""

    rows: tuple[Record, ...]
    bodies: tuple[Record, ...]


def body_name(name: str, settings: Settings) -> str:
    """Where the body of `name` lives in our zone."""
    return f"{name}._hosted.{settings.domain}"


def delegate(domain: str, ideal: Iterable[Record], settings: Settings) -> Delegated:
    """Rows and bodies for `domain`, from the records that it would have in a zone of ours."""
    rows: dict[Record, None] = {}
    bodies: dict[Record, None] = {}
    for record in ideal:
        label = record.name.removesuffix(domain).rstrip(".")
        if label in _OWN_BODY:
            body = body_name(record.name, settings)
            bodies[Record(body, record.value, record.ttl, record.why)] = None
            rows[_cname(record.name, body, record.ttl, record.why)] = None
        elif label in _WEB:
            why = f"Served by this stack at {label}.{settings.domain}."
            rows[_cname(record.name, f"{label}.{settings.domain}", record.ttl, why)] = None
        elif (label.startswith("_") or "._domainkey" in label) and "._report." not in label:
            rows[_cname(record.name, f"{label}.{settings.domain}", record.ttl, record.why)] = None
        else:
            rows[_direct(domain, record, settings)] = None
    for row in _promised(domain, settings):
        rows[row] = None
    return Delegated(tuple(rows), tuple(bodies))


def _direct(domain: str, record: Record, settings: Settings) -> Record:
    """A row that is no CNAME: SPF becomes an include of ours, everything else stays."""
    value = record.value
    if record.name == domain and isinstance(value, TXT) and value.text.startswith("v=spf1 "):
        include = spf.text((f"include:{spf.shared_name(settings)}",), spf.ending(settings, domain))
        why = f"Add the include to the SPF record that {domain} has already; two records would void both (RFC 7208 section 3.2)."
        return Record(domain, TXT(include), record.ttl, why)
    return record


def _promised(domain: str, settings: Settings) -> Iterator[Record]:
    """Names that may be empty today: policies and selectors to come, and the places of ACME challenges."""
    ttl = settings.dns.ttl
    if settings.stage_of(domain) == "live":
        name = f"_mta-sts.{domain}"
        yield _cname(
            name, body_name(name, settings), ttl, "Place of the MTA-STS policy id, when there is one."
        )
    for selector in dkim.promised(settings):
        target = dkim.name(selector, settings.domain)
        yield _cname(dkim.name(selector, domain), target, ttl, f"Place of the DKIM key {selector}.")
    if settings.tls.issuer == "acme" or (
        settings.tls.issuer == "existing" and settings.tls.challenge == "dns"
    ):
        for label in _WEB:
            name = f"_acme-challenge.{label}.{domain}"
            why = f"Lets us get the certificate of {label}.{domain} (RFC 8555 section 8.4)."
            yield _cname(name, body_name(name, settings), ttl, why)


def _cname(name: str, target: str, ttl: int, why: str) -> Record:
    return Record(name, CNAME(target), ttl, why)
