"""Public host names, derived once: DNS, certificates, discovery and daemons all take them from here."""

from __future__ import annotations

from dataclasses import dataclass

from model.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Names:
    """Every host name that the world may use for this stack."""

    website: str
    admin: str
    reseller: str
    mx: str
    helo: str
    imap: str
    smtp: str
    sieve: str
    turn: str
    activesync: str
    monitoring: str | None
    domains: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> Names:
        """The names of a stack: what the operator chose, else the documented default."""
        domain, hosts = settings.domain, settings.hosts
        website = hosts.website or domain
        return cls(
            website=website,
            admin=f"admin.{website}",
            reseller=f"reseller.{website}",
            mx=hosts.mx or f"mx.{domain}",
            helo=hosts.helo or f"mail.{domain}",
            imap=hosts.imap or f"imap.{domain}",
            smtp=hosts.smtp or f"smtp.{domain}",
            sieve=hosts.sieve or f"sieve.{domain}",
            turn=hosts.turn or f"turn.{domain}",
            activesync=f"activesync.{domain}",
            monitoring=hosts.monitoring if settings.monitoring.enabled else None,
            domains=settings.domains,
        )

    @property
    def _monitoring(self) -> tuple[str, ...]:
        return (self.monitoring,) if self.monitoring else ()

    @property
    def policy_hosts(self) -> tuple[str, ...]:
        """Hosts that serve the MTA-STS policy, one per mail domain (RFC 8461 section 3.3: hyphen, not underscore)."""
        return tuple(f"mta-sts.{domain}" for domain in self.domains)

    @property
    def discovery(self) -> tuple[str, ...]:
        """Hosts that mail clients ask for their settings."""
        return tuple(f"{label}.{d}" for d in self.domains for label in ("autoconfig", "autodiscover"))

    @property
    def web(self) -> tuple[str, ...]:
        """Hosts that the proxy answers on 443; any other Host header is turned away."""
        own = (self.website, self.admin, self.reseller, self.activesync, *self._monitoring)
        return tuple(dict.fromkeys((*own, *self.domains, *self.policy_hosts, *self.discovery)))

    @property
    def every(self) -> tuple[str, ...]:
        """All of them."""
        mail = (self.mx, self.helo, self.imap, self.smtp, self.sieve, self.turn)
        return tuple(dict.fromkeys((*self.web, *mail)))

    @property
    def proxy_certificate(self) -> tuple[str, ...]:
        """Names in the certificate of the proxy: web hosts, the mail client hosts, and those of the primary domain."""
        web = (self.website, self.admin, self.reseller, self.activesync, *self._monitoring)
        return tuple(dict.fromkeys((*web, self.imap, self.smtp, *_of_domain(self.domains[0]))))

    @property
    def domain_certificates(self) -> dict[str, tuple[str, ...]]:
        """Hosted domain -> names in a certificate of its own.

        Authorities allow about a hundred names in one certificate, and a domain whose owner has not pointed its names
        here yet must not keep the others from being renewed.
        """
        own = {*self.proxy_certificate, *self.mx_certificate}
        rest = {d: tuple(n for n in _of_domain(d) if n not in own) for d in self.domains[1:]}
        return {domain: names for domain, names in rest.items() if names}

    @property
    def mx_certificate(self) -> tuple[str, ...]:
        """Names in the certificate of port 25: the MX name first, since senders with MTA-STS match it."""
        return tuple(dict.fromkeys((self.mx, self.helo)))


def _of_domain(domain: str) -> tuple[str, ...]:
    """Names of one mail domain that the proxy answers over TLS."""
    return tuple(f"{label}.{domain}" for label in ("mta-sts", "autoconfig", "autodiscover"))
