"""CAA: which authority may issue certificates for our hosts (RFC 8659, RFC 8657).

The nearest CAA above a name decides alone. So it stands at each name that is in one of our certificates, and a
hosted domain's other web servers keep whatever authority they have.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.mailto import mailto
from model.identity.place import zone_of
from model.identity.rdata import CAA
from model.identity.record import Record
from model.names import Names
from model.settings import Settings


def issue(settings: Settings) -> str | None:
    """Value of the issue property; None when nobody told which authority issues."""
    tls = settings.tls
    if tls.issuer == "selfSigned" or not tls.caa:
        return None
    if tls.issuer != "acme":
        return tls.caa
    account = f"; accounturi={tls.account_uri}" if tls.account_uri else ""
    return f"{tls.caa}; validationmethods=dns-01{account}"


def names(settings: Settings) -> tuple[str, ...]:
    """Names in our certificates that are published now."""
    every = Names.of(settings)
    led = (*every.policy_hosts, *every.discovery)
    live = frozenset(settings.live)
    held = frozenset(name for name in led if name.partition(".")[2] not in live)
    hosted = (name for names in every.domain_certificates.values() for name in names)
    ours = dict.fromkeys((*every.proxy_certificate, *hosted, every.sieve, *every.mx_certificate))
    return tuple(name for name in ours if name not in held)


def records(settings: Settings) -> Iterator[Record]:
    """issue, issuewild and iodef at every certificate name, and at domains that want it for all of their names."""
    value = issue(settings)
    if value is None:
        return
    domains = frozenset(settings.domains)
    whole = (domain for domain in settings.domains if settings.caa_of(domain).whole)
    ttl = settings.dns.ttl
    for name in dict.fromkeys((*names(settings), *whole)):
        domain = zone_of(name, domains) or settings.domain
        caa = settings.caa_of(domain)
        flags = _CRITICAL if caa.critical else 0
        at = f"{name} and every name below that has no CAA of its own" if name in domains else name
        for authority in dict.fromkeys((value, *caa.issue)):
            why = f"{_name(authority)} may issue certificates for {at}; who is not named may not."
            yield Record(name, CAA(flags, "issue", authority), ttl, why)
        for authority in () if caa.issuewild is None else caa.issuewild or (";",):
            why = f"{_name(authority) or 'Nobody'} may issue wildcard certificates below {at}."
            yield Record(name, CAA(flags, "issuewild", authority), ttl, why)
        report = caa.iodef or settings.mail.reports.caa_iodef or f"postmaster@{settings.domain}"
        why = f"Authorities report refused requests for {name} here."
        yield Record(name, CAA(0, "iodef", mailto(report)), ttl, why)


_CRITICAL = 128


def _name(authority: str) -> str:
    return authority.partition(";")[0]
