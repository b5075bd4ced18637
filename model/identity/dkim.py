"""DKIM: public keys of our signatures (RFC 6376, RFC 8301), one record per selector, domain and stage."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from model.identity.rdata import TXT
from model.identity.record import Record
from model.settings import DkimSelector, Settings

MIN_BITS = 2048
"""Signers should use no less (RFC 8301 section 3.2)."""
SIGNATURE_DAYS = 10
"""Lifetime (x=) that Amavis gives its signatures; fixed upstream (RFC 6376 section 3.5)."""
RETIRED_DAYS = SIGNATURE_DAYS + 1
"""A retired key stays until its last signature has expired: one day more is for the queue."""

VISIBLE = ("published", "active", "retired")
"""Stages in which receivers find the key."""

_WHY = {
    "published": "Key {s}, visible before the first signature so that no receiver misses it.",
    "active": "Key {s} signs outgoing mail now.",
    "retired": "Key {s} signs no more, but mail on its way still needs it.",
    "revoked": "Key {s} is withdrawn: an empty p= tells receivers that its signatures count no more (RFC 6376 section 3.6.1).",
}


def text(selector: DkimSelector) -> str | None:
    """The record of one key; None while it is only staged. Revoked keys have an empty p=.

    No s= tag: TLS reports must be signed with a key that allows the service tlsrpt (RFC 8460 section 5.3).
    """
    if selector.stage == "staged":
        return None
    key = selector.public_key if selector.stage in VISIBLE else ""
    return f"v=DKIM1; k=rsa; h=sha256; p={key}"


def bits(public_key: str) -> int:
    """Size of the RSA key in base64 SubjectPublicKeyInfo. Raises ValueError when it is no RSA public key."""
    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise ValueError("is not the base64 of a DER SubjectPublicKeyInfo") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("is not an RSA key, and Amavis signs with RSA only")
    return key.key_size


def name(selector: str, domain: str) -> str:
    """Where receivers look for the key (RFC 6376 section 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def promised(settings: Settings) -> tuple[str, ...]:
    """Selectors whose CNAME the owner of a foreign domain publishes: all that exist or are reserved."""
    return tuple(sorted({*settings.mail.dkim.selectors, *settings.mail.dkim.reserved}))


def records(settings: Settings) -> Iterator[Record]:
    """The record of every selector at every mail domain: one key signs them all, each with its own d=."""
    bodies = {selector: text(key) for selector, key in sorted(settings.mail.dkim.selectors.items())}
    for domain in settings.domains:
        for selector, body in bodies.items():
            if body is not None:
                why = _WHY[settings.mail.dkim.selectors[selector].stage].format(s=selector)
                yield Record(name(selector, domain), TXT(body), settings.dns.ttl, why)
