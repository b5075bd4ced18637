"""Key pairs: the public half of a private one, and whether two halves belong together."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from model.findings import Finding
from model.settings import Settings

Plaintext = Callable[[str], str | None]
"""Gives the decrypted value of a flat key. It is used for comparing and never leaves this module."""


def _public(private_pem: str) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    key = serialization.load_pem_private_key(private_pem.encode(), password=None).public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ValueError("is neither RSA nor elliptic-curve")
    return key


def subject_public_key_info(private_pem: str) -> bytes:
    """DER SubjectPublicKeyInfo of a private key in PEM. Raises ValueError when it is none."""
    return _public(private_pem).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def dkim_public_key(private_pem: str) -> str:
    """The p= of a DKIM record (RFC 6376 section 3.6.1)."""
    return base64.b64encode(subject_public_key_info(private_pem)).decode()


def tlsa_hash(private_pem: str) -> str:
    """The hash of a TLSA 3 1 1 record, in hex (RFC 6698 section 2.1)."""
    return hashlib.sha256(subject_public_key_info(private_pem)).hexdigest()


def public_pem(private_pem: str) -> str:
    """The public half in PEM."""
    return (
        _public(private_pem)
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def mismatches(settings: Settings, plaintext: Plaintext) -> Iterator[Finding]:
    """Findings about public halves in the stack file that are not those of its private keys."""
    pairs: list[tuple[str, str, str, Callable[[str], str]]] = [
        (f"dkimKey-{name}", f"mail.dkim.selectors.{name}.publicKey", selector.public_key, dkim_public_key)
        for name, selector in settings.mail.dkim.selectors.items()
    ]
    if settings.passport_public_key is not None:
        pairs.append(("passportPrivateKey", "passportPublicKey", settings.passport_public_key, public_pem))
    if settings.tlsa:
        pairs.append(("mxKey", "tlsa.current", settings.tlsa.current, tlsa_hash))
        if settings.tlsa.next:
            pairs.append(("mxNextKey", "tlsa.next", settings.tlsa.next, tlsa_hash))
    for secret, public_key, public, derive in pairs:
        private = plaintext(secret)
        if private is None:
            continue
        try:
            same = derive(private).split() == public.split()
        except (ValueError, TypeError):
            yield Finding(
                rule="key-unreadable",
                path=f"kolab:{secret}",
                problem="is not a private key in PEM",
                fix=f"store the key again: pulumi config set --secret kolab:{secret} < key.pem",
            )
            continue
        if not same:
            yield Finding(
                rule="key-halves",
                path=f"kolab:{public_key}",
                problem=f"is not the public half of kolab:{secret}: what DNS or clients are told would not match what signs",
                fix="restore the pair that belongs together, or remove both and run python -m ops secrets",
            )
