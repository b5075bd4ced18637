"""Names of certificates where an authority fetches a file from port 80 of each of them (HTTP-01, RFC 8555 section 8.3).

The proxy answers there, for all its names and for whatever else shares its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from model.identity.hosts import hosts
from model.names import Names
from model.settings import Settings
from model.topology import public_addresses


@dataclass(frozen=True, kw_only=True)
class Certified:
    """Names by certificate. `domains` are hosted ones, each with its names."""

    proxy: tuple[str, ...]
    mx: tuple[str, ...]
    sieve: tuple[str, ...]
    domains: Mapping[str, tuple[str, ...]]

    @property
    def every(self) -> tuple[str, ...]:
        """All of them, each once."""
        hosted = (name for names in self.domains.values() for name in names)
        return tuple(dict.fromkeys((*self.proxy, *self.mx, *self.sieve, *hosted)))


def certified(settings: Settings) -> Certified:
    """What the certificates of a stack hold.

    With HTTP-01, what does not lead to the proxy now is left out, since one name that is not proven keeps a certificate
    from all others: a domain that is not live, a name of HELO that has the addresses of nodes. Daemons are always asked
    for the MX name and that of ManageSieve, so these stay.
    """
    names = Names.of(settings)
    if not settings.http_challenges:
        return Certified(
            proxy=names.proxy_certificate,
            mx=names.mx_certificate,
            sieve=(names.sieve,),
            domains=names.domain_certificates,
        )
    away = frozenset(elsewhere(settings, (*names.proxy_certificate, *names.mx_certificate)))
    return Certified(
        proxy=tuple(name for name in names.proxy_certificate if name not in away),
        mx=tuple(name for name in names.mx_certificate if name == names.mx or name not in away),
        sieve=(names.sieve,),
        domains={
            domain: found
            for domain, found in names.domain_certificates.items()
            if settings.stage_of(domain) == "live"
        },
    )


def elsewhere(settings: Settings, names: Iterable[str]) -> list[str]:
    """Those of `names` whose port 80 is not the proxy's alone: they have other addresses, or none."""
    proxy = {address for address in public_addresses(settings).get("proxy", ()) if ":" not in address}
    found: dict[str, set[str]] = {}
    for host in hosts(settings):
        found.setdefault(host.name, set()).update(host.addresses)
    return [name for name in names if not found.get(name) or not found[name] <= proxy]
