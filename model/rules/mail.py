"""What would make mail bounce, found before anything is published."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from model.findings import Finding
from model.identity import dkim
from model.identity.answers import Answers
from model.identity.lint import lint
from model.identity.lint_places import lint_places
from model.identity.lint_sending import lint_sending
from model.identity.plan import plan
from model.names import Names
from model.settings import Settings

_LIVE = "kolab:mail.mx.stage"
_SELECTORS = "kolab:mail.dkim.selectors"
_AUTHORITIES = {
    "letsencrypt.org": "letsencrypt.org",
    "pki.goog": "pki.goog",
    "zerossl.com": "sectigo.com",
    "ssl.com": "ssl.com",
}
"""Domain of an ACME server -> the name that its authority answers to in CAA records."""


def going_live(settings: Settings) -> Iterator[Finding]:
    """Mail is let in only when answers will be signed and somebody reads postmaster."""
    if settings.mail.mx.stage != "live":
        if settings.mail.dmarc.policy != "none":
            yield Finding(
                rule="dmarc-on-hold",
                path="kolab:mail.dmarc.policy",
                severity="warning",
                problem=f"is {settings.mail.dmarc.policy} while mail.mx.stage is hold: it would judge what the domain's present server sends",
                fix="keep none until live, or acknowledge that no other server sends",
            )
        return
    if not any(key.stage == "active" for key in settings.mail.dkim.selectors.values()):
        yield Finding(
            rule="live-without-dkim",
            path=_LIVE,
            problem="is live, but no DKIM key is active: large receivers refuse unsigned mail",
            fix="bring a key to active first: ./kolab dkim stage, publish, activate",
            source="RFC 6376 section 5",
        )
    if settings.mail.postmaster is None:
        yield Finding(
            rule="live-without-postmaster",
            path="kolab:mail.postmaster",
            problem="is missing while mail.mx.stage is live",
            fix="name an existing mailbox",
            source="RFC 5321 section 4.5.1",
        )


def dkim_keys(settings: Settings) -> Iterator[Finding]:
    """Keys are RSA of 2048 bits or more, each with a selector of its own, and one of them signs."""
    selectors = settings.mail.dkim.selectors
    active = sorted(name for name, key in selectors.items() if key.stage == "active")
    if len(active) > 1:
        yield Finding(
            rule="dkim-two-active",
            path=_SELECTORS,
            problem=f"has {len(active)} active keys ({', '.join(active)}), but Amavis signs with one",
            fix="retire all but the newest",
        )
    owners: dict[str, str] = {}
    for name, key in sorted(selectors.items()):
        path = f"{_SELECTORS}.{name}"
        first = owners.setdefault(key.public_key, name)
        if first != name:
            yield Finding(
                rule="dkim-key-reused",
                path=f"{path}.publicKey",
                problem=f"is the key of selector {first} too",
                fix="make a new key for each selector",
                source="RFC 6376 section 3.1",
            )
        try:
            size = dkim.bits(key.public_key)
            if size < dkim.MIN_BITS:
                yield Finding(
                    rule="dkim-short-key",
                    path=f"{path}.publicKey",
                    problem=f"has {size} bits",
                    fix=f"make a key of {dkim.MIN_BITS} bits: ./kolab dkim stage",
                    source="RFC 8301 section 3.2",
                )
        except ValueError as error:
            yield Finding(
                rule="dkim-not-a-key",
                path=f"{path}.publicKey",
                problem=str(error),
                fix="let ./kolab dkim stage write it",
                source="RFC 6376 section 3.6.1",
            )
        if not _is_date(key.since):
            yield Finding(
                rule="dkim-since",
                path=f"{path}.since",
                problem=f"is {key.since}, which is no day of the calendar",
                fix="write the day on which the stage began",
            )


def mta_sts(settings: Settings) -> Iterator[Finding]:
    """Senders that follow MTA-STS refuse a certificate that no public authority signed."""
    sts, tls = settings.mail.mta_sts, settings.tls
    strict = sts.stage == "enforce"
    if sts.stage in ("testing", "enforce"):
        if tls.issuer == "selfSigned":
            yield Finding(
                rule="mta-sts-untrusted",
                path="kolab:mail.mtaSts.stage",
                severity="error" if strict else "warning",
                problem=f"is {sts.stage}, but the certificates are self-signed: senders would {'refuse to deliver' if strict else 'report every delivery as failed'}",
                fix="use tls.issuer acme or a public authority first",
                source="RFC 8461 section 4.2",
            )
        elif tls.issuer != "acme" and tls.caa is None:
            yield Finding(
                rule="mta-sts-issuer",
                path="kolab:tls.caa",
                severity="warning",
                problem=f"is missing, so nothing says that the certificate of {Names.of(settings).mx} comes from an authority that the world trusts",
                fix="name the public authority, or acknowledge that the whole world trusts this issuer",
                source="RFC 8461 section 4.2",
            )
    if sts.since is not None and not _is_date(sts.since):
        yield Finding(
            rule="mta-sts-since",
            path="kolab:mail.mtaSts.since",
            problem=f"is {sts.since}, which is no day of the calendar",
            fix="write the day on which the stage began",
        )
    if sts.stage == "removing" and sts.since is None:
        yield Finding(
            rule="mta-sts-since",
            path="kolab:mail.mtaSts.since",
            problem="is missing while the policy is being removed, so nobody knows when senders have forgotten it",
            fix="write the day on which removing began",
            source="RFC 8461 section 8.3",
        )


def dane(settings: Settings) -> Iterator[Finding]:
    """TLSA needs a signed zone and a key that stays."""
    if settings.tlsa and not settings.dns.dnssec:
        yield Finding(
            rule="tlsa-unsigned",
            path="kolab:dns.dnssec",
            severity="warning",
            problem="is off, so the TLSA records of kolab:tlsa are not published",
            fix="sign the zones and set it to true, or acknowledge it",
            source="RFC 7672 section 2.1",
        )
    if settings.dns.dnssec and settings.tlsa is None:
        yield Finding(
            rule="tlsa-missing",
            path="kolab:tlsa",
            severity="warning",
            problem="is missing although the zones are signed: no TLSA is published, since the key of port 25 would change at each renewal",
            fix="./kolab tlsa init --stack <stack>, or acknowledge it",
            source="RFC 7671 section 8.1",
        )
    if settings.tlsa and settings.tlsa.current == settings.tlsa.next:
        yield Finding(
            rule="tlsa-same",
            path="kolab:tlsa.next",
            problem="is the current key",
            fix="make a new key for next, or remove it",
            source="RFC 7671 section 8.1",
        )


def authority(settings: Settings) -> Iterator[Finding]:
    """CAA must allow the authority and the account that issue our certificates."""
    tls = settings.tls
    caa = None if tls.issuer == "selfSigned" else tls.caa
    if caa is not None and not re.match(r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", caa):
        yield Finding(
            rule="caa-name",
            path="kolab:tls.caa",
            problem=f"is {caa!r}, which is no domain name",
            fix="write the name that the authority documents, such as letsencrypt.org",
            source="RFC 8659 section 4.2",
        )
    if tls.issuer != "acme":
        return
    server = urlsplit(tls.server).hostname or ""
    expected = next(
        (name for domain, name in _AUTHORITIES.items() if server == domain or server.endswith(f".{domain}")),
        None,
    )
    if expected and caa != expected:
        yield Finding(
            rule="caa-forbids-issuer",
            path="kolab:tls.caa",
            problem=f"is {caa}, but {server} issues as {expected}: the next renewal would fail",
            fix=f"write {expected}",
            source="RFC 8659 section 3",
        )
    account = tls.account_uri
    if account is not None and (
        urlsplit(account).hostname != server or not re.match(r"^https://[!-:<-~]+$", account)
    ):
        yield Finding(
            rule="caa-account",
            path="kolab:tls.accountUri",
            problem=f"is not an account of {server}: the next renewal would fail",
            fix="copy the URL from the Issuer's status",
            source="RFC 8657 section 3",
        )


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


RULES = (going_live, dkim_keys, mta_sts, dane, authority, published)
