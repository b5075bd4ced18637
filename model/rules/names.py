"""Host names and domains."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import names as rules
from model.findings import Finding
from model.names import Names
from model.settings import Settings

PLACEHOLDERS = ("example.com", "example.net", "example.org", "example", "test", "invalid", "localhost")
"""Domains that can never be delegated (RFC 2606, RFC 6761)."""


def is_placeholder(domain: str) -> bool:
    """Whether nobody can own `domain`."""
    return domain in PLACEHOLDERS or domain.endswith(tuple(f".{p}" for p in PLACEHOLDERS))


def placeholders(settings: Settings) -> Iterator[Finding]:
    """A deployed stack must not carry example domains."""
    if settings.example or settings.kubernetes.render:
        return
    for path, domain in (
        ("kolab:domain", settings.domain),
        *((f"kolab:hostedDomains[{i}]", d) for i, d in enumerate(settings.hosted_domains)),
    ):
        if is_placeholder(domain):
            yield rules.DOMAIN_PLACEHOLDER.found(path=path, domain=domain)


def distinct(settings: Settings) -> Iterator[Finding]:
    """The mail hosts stand apart: MX and HELO names carry other addresses than the web names."""
    names = Names.of(settings)
    # Website, IMAP and submission are all the proxy's, unless another server answers the web.
    web = "proxy" if settings.network.web_server is None else "controller"
    separate = {
        "website": (names.website, web),
        "imap": (names.imap, "proxy"),
        "smtp": (names.smtp, "proxy"),
        "mx": (names.mx, "smtp"),
        "sieve": (names.sieve, "sieve"),
        "turn": (names.turn, "turn"),
    }
    if not settings.single_node:
        taken: dict[str, tuple[str, str]] = {}
        for key, (host, service) in separate.items():
            other, others_service = taken.setdefault(host, (key, service))
            if service != others_service:
                yield rules.HOST_SHARED.found(key=key, host=host, other=other)
    seen: set[str] = set()
    for index, domain in enumerate(settings.hosted_domains):
        if domain == settings.domain or domain in seen:
            yield rules.DOMAIN_TWICE.found(index=index, domain=domain)
        seen.add(domain)


def length(settings: Settings) -> Iterator[Finding]:
    """Names that we derive must still fit into DNS."""
    for host in Names.of(settings).every:
        if len(host) > 253:
            yield rules.NAME_TOO_LONG.found(host=host[:40])


RULES = (placeholders, distinct, length)
