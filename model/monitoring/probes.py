"""What blackbox asks, as a client would: one row per question, only where topology lets it through.

Public names are asked at the Services inside, with the public name as Host and TLS server name: no packet has
to leave the cluster and come back (hairpin), which many load balancers cannot do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from model.identity import mta_sts
from model.names import Names
from model.settings import Settings
from model.topology import BLACKBOX, PROXY, Daemon, Outside, connections, database_host, redis_host

Severity = Literal["page", "ticket"]
DOMAIN_CERTIFICATE = "domain-certificate"
"""The question that is asked once for each hosted domain, of which there may be a thousand."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One question. `alert` and `meaning` are what an operator reads when there is no good answer."""

    name: str
    target: str
    instance: str
    service: str
    alert: str
    meaning: str
    severity: Severity = "page"
    hostname: str | None = None
    answer: str = ""
    """What tells the expected answer from that of others of this name."""
    wait: str | None = None
    """How long there is no good answer before anybody hears of it; None: what goes with the severity."""
    first: str = ""
    """Where to look first, if that is no pod's log."""

    @property
    def module(self) -> str:
        """Name of blackbox' module, one for each expected answer."""
        return "-".join(filter(None, (self.name, self.answer)))


def probes(settings: Settings) -> tuple[Probe, ...]:
    """Every question of this stack, from the connections that start at blackbox."""
    found: list[Probe] = []
    for connection in connections(settings):
        if connection.client is BLACKBOX:
            for port in connection.ports:
                found += _probes(settings, connection.server, port)
    return tuple(found)


def _probes(settings: Settings, server: Daemon | Outside, port: str) -> Iterator[Probe]:
    names = Names.of(settings)
    if isinstance(server, Outside):
        yield from _outside(settings, server, port)
        return
    at = server.at(port)
    match server.name, port:
        case "proxy", "https":
            yield from _web(settings, names)
            yield from _domains(names)
        case "proxy", "imaps":
            yield Probe(
                name="imaps",
                target=at,
                instance=names.imap,
                service="proxy",
                alert="ImapDown",
                meaning="mail clients cannot read mail",
            )
        case "proxy", "submissions":
            yield Probe(
                name="submissions",
                target=at,
                instance=names.smtp,
                service="proxy",
                alert="SubmissionDown",
                meaning="mail clients cannot send mail",
            )
        case "postfix", "smtp-in":
            yield Probe(
                name="smtp",
                target=at,
                instance=names.mx,
                service="postfix",
                alert="SmtpDown",
                meaning="nobody can send us mail, or not encrypted; senders retry for days, so nothing is lost yet",
            )
        case "imap", "sieve-tls":
            yield Probe(
                name="sieve",
                target=at,
                instance=names.sieve,
                service="imap",
                alert="SieveDown",
                severity="ticket",
                meaning="mail clients cannot edit filters; filters that exist still run",
            )
        case "mariadb", "mysql":
            yield _database(at)
        case "redis", "redis":
            yield _redis(at)
        case _:
            yield _connects(f"{server.name}-{port}", at, server.name)


def _web(settings: Settings, names: Names) -> Iterator[Probe]:
    def web(
        name: str, host: str, path: str, *, alert: str, meaning: str, severity: Severity = "page"
    ) -> Probe:
        url = f"https://{PROXY.at('https')}{path}"
        return Probe(
            name=name,
            target=url,
            instance=f"https://{host}{path}",
            service="proxy",
            hostname=host,
            alert=alert,
            meaning=meaning,
            severity=severity,
        )

    # Through the proxy to the web application; the proxy's own /health would not notice a dead one.
    yield web(
        "website",
        names.website,
        "/api/health/readiness",
        alert="WebsiteDown",
        meaning="nobody can log in: the web interface, passwords of IMAP and SMTP, and policies all come from there",
    )
    yield web(
        "webmail",
        names.website,
        "/webmail/",
        alert="WebmailDown",
        meaning="nobody can read mail in the browser",
    )
    if settings.features.office:
        yield web(
            "office",
            names.website,
            "/hosting/discovery",
            alert="OfficeDown",
            meaning="documents cannot be edited",
            severity="ticket",
        )
    for domain, body in mta_sts.policies(settings).items():
        asked = web(
            "mta-sts",
            f"mta-sts.{domain}",
            mta_sts.PATH,
            alert="MtaStsPolicyWrong",
            meaning="senders that keep the published policy may refuse to deliver to us, or deliver unprotected",
        )
        own = domain in settings.own_policies
        yield replace(asked, answer=mta_sts.policy_id(body)[:8]) if own else asked


def _domains(names: Names) -> Iterator[Probe]:
    """The proxy turns a domain's names away until its certificate is there (components/proxy_certificates.py)."""
    for domain, (host, *_) in names.domain_certificates.items():
        yield Probe(
            name=DOMAIN_CERTIFICATE,
            target=f"https://{PROXY.at('https')}{mta_sts.PATH}",
            instance=domain,
            service="certificates",
            hostname=host,
            alert="DomainCertificateMissing",
            severity="ticket",
            wait="1h",
            first="`kubectl describe certificate tls.<domain>` and `kubectl get challenges`: cert-manager says which name is not proven, and why. `./kolab dns tickets` says what the domain's owner has to publish.",
            meaning="mail programs of this domain's people configure nothing by themselves, and its MTA-STS policy is not served",
        )


def _outside(settings: Settings, server: Outside, port: str) -> Iterator[Probe]:
    number = next(p.number for p in server.ports if p.name == port)
    if server.name == "database":
        yield _database(f"{database_host(settings)}:{number}")
    elif server.name == "redis":
        yield _redis(f"{redis_host(settings)}:{number}")


def _database(at: str) -> Probe:
    return Probe(
        name="database",
        target=at,
        instance=at,
        service="mariadb",
        alert="DatabaseDown",
        meaning="nobody can log in, and Postfix knows no recipients: mail from outside is deferred",
    )


def _redis(at: str) -> Probe:
    return Probe(
        name="redis",
        target=at,
        instance=at,
        service="redis",
        alert="RedisDown",
        meaning="webmail sessions are gone and no job runs: new accounts get no mailbox",
    )


def _connects(name: str, at: str, service: str) -> Probe:
    alert = "".join(part.capitalize() for part in name.split("-")) + "Down"
    return Probe(
        name=name,
        target=at,
        instance=at,
        service=service,
        alert=alert,
        severity="ticket",
        meaning="the port does not open",
    )
