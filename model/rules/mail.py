"""What would make mail bounce, found before anything is published."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from urllib.parse import urlsplit

from model.catalogue import mail as rules
from model.findings import Finding
from model.identity import dkim
from model.identity.answers import Answers
from model.identity.life_cycles import SHARED, own_path
from model.identity.lint import lint
from model.identity.lint_places import lint_places
from model.identity.lint_sending import lint_sending
from model.identity.plan import plan
from model.names import Names
from model.settings import Dmarc, MtaSts, Settings

_AUTHORITIES = {
    "letsencrypt.org": "letsencrypt.org",
    "pki.goog": "pki.goog",
    "zerossl.com": "sectigo.com",
    "ssl.com": "ssl.com",
}
"""Domain of an ACME server -> the name that its authority answers to in CAA records."""


def going_live(settings: Settings) -> Iterator[Finding]:
    """Mail is let in only when answers will be signed and somebody reads postmaster."""
    dmarc = settings.mail.dmarc
    judged = [d for d in settings.domains if settings.dmarc_of(d) is dmarc]
    if not set(judged) <= set(settings.live):
        for key, policy in (
            ("policy", dmarc.policy),
            ("subdomainPolicy", dmarc.subdomain_policy),
            ("nonexistentPolicy", dmarc.nonexistent_policy if _asked_for_np(dmarc) else None),
        ):
            if policy not in (None, "none"):
                yield rules.DMARC_ON_HOLD.found(key=key, policy=policy)
    for domain in settings.taking:
        if settings.stage_of(domain) == "shadow" and not settings.other_mx_of(domain):
            yield rules.SHADOW_ALONE.found(domain=domain)
    if not settings.taking:
        return
    if not any(key.stage == "active" for key in settings.mail.dkim.selectors.values()):
        yield rules.LIVE_WITHOUT_DKIM.found()
    if settings.mail.postmaster is None:
        yield rules.LIVE_WITHOUT_POSTMASTER.found()


def _asked_for_np(dmarc: Dmarc) -> bool:
    return "nonexistent_policy" in dmarc.model_fields_set


def dkim_keys(settings: Settings) -> Iterator[Finding]:
    """Keys are RSA of 2048 bits or more, each with a selector of its own, and one of them signs."""
    selectors = settings.mail.dkim.selectors
    active = sorted(name for name, key in selectors.items() if key.stage == "active")
    if len(active) > 1:
        yield rules.DKIM_TWO_ACTIVE.found(number=len(active), selectors=", ".join(active))
    owners: dict[str, str] = {}
    for name, key in sorted(selectors.items()):
        first = owners.setdefault(key.public_key, name)
        if first != name:
            yield rules.DKIM_KEY_REUSED.found(name=name, first=first)
        try:
            size = dkim.bits(key.public_key)
            if size < dkim.MIN_BITS:
                yield rules.DKIM_SHORT_KEY.found(name=name, size=size, least=dkim.MIN_BITS)
        except ValueError as error:
            yield rules.DKIM_NOT_A_KEY.found(name=name, problem=str(error))
        if not _is_date(key.since):
            yield rules.DKIM_SINCE.found(name=name, since=key.since)


def mta_sts(settings: Settings) -> Iterator[Finding]:
    """Senders that follow MTA-STS refuse a certificate that no public authority signed."""
    yield from _policy(settings, settings.mail.mta_sts)
    for domain in settings.own_policies:
        for finding in _policy(settings, settings.mta_sts_of(domain)):
            yield finding.about(SHARED, own_path(domain))


def _policy(settings: Settings, sts: MtaSts) -> Iterator[Finding]:
    tls = settings.tls
    strict = sts.stage == "enforce"
    if sts.stage in ("testing", "enforce"):
        if tls.issuer == "selfSigned":
            yield (rules.MTA_STS_UNTRUSTED if strict else rules.MTA_STS_UNTRUSTED_TESTING).found()
        elif tls.issuer != "acme" and tls.caa is None:
            yield rules.MTA_STS_ISSUER.found(host=Names.of(settings).mx)
    if sts.since is not None and not _is_date(sts.since):
        yield rules.MTA_STS_SINCE.found(since=sts.since)
    if sts.stage == "removing" and sts.since is None:
        yield rules.MTA_STS_SINCE_MISSING.found()


def dane(settings: Settings) -> Iterator[Finding]:
    """TLSA needs a signed zone and a key that stays."""
    if settings.tlsa and not settings.dns.dnssec:
        yield rules.TLSA_UNSIGNED.found()
    if settings.dns.dnssec and settings.tlsa is None:
        yield rules.TLSA_MISSING.found()
    if settings.tlsa and settings.tlsa.current == settings.tlsa.next:
        yield rules.TLSA_SAME.found()


def authority(settings: Settings) -> Iterator[Finding]:
    """CAA must allow the authority and the account that issue our certificates."""
    tls = settings.tls
    caa = None if tls.issuer == "selfSigned" else tls.caa
    if tls.issuer != "acme":
        return
    server = urlsplit(tls.server).hostname or ""
    expected = next(
        (name for domain, name in _AUTHORITIES.items() if server == domain or server.endswith(f".{domain}")),
        None,
    )
    if expected and caa != expected:
        yield rules.CAA_FORBIDS_ISSUER.found(caa=caa, server=server, expected=expected)
    account = tls.account_uri
    if account is not None and urlsplit(account).hostname != server:
        yield rules.CAA_ACCOUNT.found(server=server)


def published(settings: Settings) -> Iterator[Finding]:
    """The records as a whole, judged as DNS servers and receivers would."""
    found = plan(settings)
    answers = Answers(found.records)
    yield from lint(settings, found.records)
    yield from lint_sending(settings, answers)
    yield from lint_places(settings, found)


def _is_date(text: str) -> bool:
    try:
        return bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def certificates(settings: Settings) -> Iterator[Finding]:
    """Certificates can be had, and are ones that people's devices trust."""
    if settings.tls.issuer == "acme" and settings.dns.provider == "zonefile" and not settings.example:
        yield rules.ACME_ELSEWHERE.found()
    if settings.tls.issuer == "selfSigned" and settings.live:
        yield rules.SELF_SIGNED_LIVE.found()
    if settings.tls.issuer == "secrets":
        for domain in sorted({*settings.tls.domains} - {*settings.domains[1:]}):
            yield rules.TLS_DOMAIN_UNKNOWN.found(domain=domain)


def rate_limits(settings: Settings) -> Iterator[Finding]:
    """Exemptions are for our own domains."""
    for domain in sorted({*settings.unlimited_domains} - {*settings.domains}):
        yield rules.RATE_LIMITS_DOMAIN.found(domain=domain)


def spam(settings: Settings) -> Iterator[Finding]:
    """What is kept from people is spam."""
    levels = settings.mail.spam
    if levels.quarantine_at is not None and levels.quarantine_at < levels.mark_at:
        yield rules.QUARANTINE_BELOW_MARK.found(kept=levels.quarantine_at, marked=levels.mark_at)


RULES = (rate_limits, spam, certificates, going_live, dkim_keys, mta_sts, dane, authority, published)
