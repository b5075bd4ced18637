"""SRV: where clients find each service, and which services do not exist (RFC 6186, 8314, 5804, 6764, 2782)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.identity.rdata import ROOT, SRV, TXT
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from model.topology import public_ports


@dataclass(frozen=True)
class Service:
    """A service that clients may look for; `target` is None when this stack does not offer it."""

    label: str
    port: int
    target: str | None
    priority: int = 0
    path: str | None = None


def services(settings: Settings) -> tuple[Service, ...]:
    """Every service, offered or denied. What is open to the world is read from topology, so the records cannot lie.

    TLS from the first byte comes before STARTTLS (RFC 8314 section 5.1).
    """
    names = Names.of(settings)
    numbers = {port.number for port in public_ports(settings)}

    def offered(port: int, host: str) -> str | None:
        return host if port in numbers else None

    return (
        Service("_imaps", 993, offered(993, names.imap)),
        Service("_imap", 143, offered(143, names.imap), priority=10),
        Service("_submissions", 465, offered(465, names.smtp)),
        Service("_submission", 587, offered(587, names.smtp), priority=10),
        Service("_pop3s", 995, offered(995, names.imap)),
        Service("_pop3", 110, offered(110, names.imap)),
        Service("_sieve", 4190, offered(4190, names.sieve)),
        # The collections of a user; /.well-known leads to the level above, from where clients find them too.
        Service("_caldavs", 443, names.website, path="/dav/calendars/user"),
        Service("_carddavs", 443, names.website, path="/dav/addressbooks/user"),
        Service("_caldav", 80, None),
        Service("_carddav", 80, None),
        Service("_autodiscover", 443, f"autodiscover.{settings.domain}"),
    )


def records(settings: Settings) -> Iterator[Record]:
    """SRV of every service at every mail domain, and the DAV paths beside theirs (RFC 6764 section 4).

    None for domains that are not live: they would lead mail clients from a domain's present server to an empty one.
    """
    ttl, found = settings.dns.ttl, services(settings)
    for domain in settings.live:
        for service in found:
            name = f"{service.label}._tcp.{domain}"
            if service.target is None:
                why = f"There is no {service.label[1:]} here, so clients need not try."
                yield Record(name, SRV(0, 0, 0, ROOT), ttl, why)
                continue
            value = SRV(service.priority, 1, service.port, service.target)
            yield Record(name, value, ttl, f"Clients of @{domain} find {service.label[1:]} here.")
            if service.path:
                why = f"Path of {service.label[1:]} on that host."
                yield Record(name, TXT(f"path={service.path}"), ttl, why)
