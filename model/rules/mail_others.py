"""Others who send or receive for our domains, and what one domain has of its own."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import mail as rules
from model.findings import Finding
from model.identity import caa, mx, spf
from model.identity.hosts import hosts as hosts_of
from model.names import Names
from model.settings import Caa, Settings


def served(settings: Settings) -> Iterator[Finding]:
    """What one domain has of its own is about a domain that is here."""
    for domain in settings.per_domain:
        if domain not in settings.domains:
            yield rules.DOMAIN_NOT_SERVED.found(domain=domain)


def spf_lookups(settings: Settings) -> Iterator[Finding]:
    """No domain's SPF record costs receivers more than ten lookups, and each include was counted."""
    told: set[str] = set()
    for domain in settings.domains:
        path = _senders_path(settings, domain)
        if path in told:
            continue
        told.add(path)
        number = spf.lookups(settings, domain)
        if number > spf.MAX_LOOKUPS:
            yield rules.SPF_LOOKUPS.found(path=path, number=number, domain=domain, most=spf.MAX_LOOKUPS)
        if names := spf.uncounted(settings, domain):
            yield rules.SPF_UNCOUNTED.found(path=path, names=", ".join(names))


def other_servers(settings: Settings) -> Iterator[Finding]:
    """Servers of somebody else are not ours."""
    ours = Names.of(settings).mx
    closed = {host.name for host in hosts_of(settings)} - {ours}
    places = {"kolab:mail.mx.others": settings.mail.mx.others}
    places |= {f"kolab:domains.{d}.otherMx": own.other_mx or () for d, own in settings.per_domain.items()}
    for path, others in places.items():
        hosts = [other.host for other in others]
        for host in dict.fromkeys(hosts):
            if host == ours:
                yield rules.OTHER_MX_OURS.found(path=path, host=ours)
            elif host in closed:
                yield rules.OTHER_MX_HOST.found(path=path, host=host)
            if hosts.count(host) > 1:
                yield rules.OTHER_MX_TWICE.found(path=path, host=host)
    for domain in settings.taking:
        last = max((other.preference for other in settings.other_mx_of(domain)), default=0)
        if settings.stage_of(domain) == "shadow" and last == mx.LAST:
            yield rules.SHADOW_NO_ROOM.found(domain=domain, last=last)


def authorities(settings: Settings) -> Iterator[Finding]:
    """Other certification authorities stand beside ours."""
    if caa.issue(settings) is not None:
        return
    places = {"kolab:dns.caa": settings.dns.caa}
    places |= {f"kolab:domains.{d}.caa": own.caa for d, own in settings.per_domain.items() if own.caa}
    for path, given in places.items():
        if given != Caa():
            yield rules.CAA_OTHERS_ONLY.found(path=path)


def _senders_path(settings: Settings, domain: str) -> str:
    own = settings.per_domain.get(domain)
    return f"kolab:domains.{domain}.senders" if own and own.senders is not None else "kolab:mail.senders"


RULES = (served, spf_lookups, other_servers, authorities)
