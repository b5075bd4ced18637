"""Key pairs: the public half of a private one, and whether two halves belong together."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from model.catalogue import files as rules
from model.findings import Finding
from model.secrets import DKIM_PREFIX
from model.settings import Settings

Plaintext = Callable[[str], str | None]
"""Gives the decrypted value of a flat key. It is used for comparing and never leaves this module."""


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def private_key(pem: str) -> PrivateKey:
    """The key in `pem`. Raises ValueError when it is none, has a password, or is of a kind that nobody here uses."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm):
        raise ValueError("is not a plain private key") from None
    if not isinstance(key, PrivateKey):
        raise ValueError("is neither RSA nor elliptic-curve")
    return key


def subject_public_key_info(private_pem: str) -> bytes:
    """DER SubjectPublicKeyInfo of a private key in PEM. Raises ValueError when it is none."""
    public = private_key(private_pem).public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def dkim_public_key(private_pem: str) -> str:
    """The p= of a DKIM record (RFC 6376 section 3.6.1)."""
    return base64.b64encode(subject_public_key_info(private_pem)).decode()


def tlsa_hash(private_pem: str) -> str:
    """The hash of a TLSA 3 1 1 record, in hex (RFC 6698 section 2.1)."""
    return hashlib.sha256(subject_public_key_info(private_pem)).hexdigest()


def public_pem(private_pem: str) -> str:
    """The public half in PEM."""
    public = private_key(private_pem).public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


@dataclass(frozen=True)
class Pair:
    """A private key under its flat key, and the place of its public half. `public` is None until it is written."""

    secret: str
    path: str
    public: str | None
    derive: Callable[[str], str]

    def belongs(self, private: str) -> bool:
        """Whether `private` is the other half. Raises ValueError when it is no private key."""
        return self.public is not None and self.derive(private).split() == self.public.split()


def dkim_pair(selector: str, public: str | None) -> Pair:
    """The halves of a DKIM key."""
    return Pair(
        f"{DKIM_PREFIX}{selector}", f"mail.dkim.selectors.{selector}.publicKey", public, dkim_public_key
    )


def public_entry(pair: Pair) -> str:
    """What is removed from the stack file with a public half: a DKIM key's whole entry."""
    entry = pair.path.removesuffix(".publicKey")
    return f"kolab:{entry}"


def pairs(settings: Settings) -> Iterator[Pair]:
    """Every key pair of the stack."""
    yield Pair("passportPrivateKey", "passportPublicKey", settings.passport_public_key, public_pem)
    for name, selector in settings.mail.dkim.selectors.items():
        yield dkim_pair(name, selector.public_key)
    if settings.tlsa:
        yield Pair("mxKey", "tlsa.current", settings.tlsa.current, tlsa_hash)
        if settings.tlsa.next:
            yield Pair("mxNextKey", "tlsa.next", settings.tlsa.next, tlsa_hash)


def mismatches(settings: Settings, plaintext: Plaintext) -> Iterator[Finding]:
    """Findings about public halves in the stack file that are not those of its private keys."""
    for pair in pairs(settings):
        private = plaintext(pair.secret)
        if private is None or pair.public is None:
            continue
        try:
            belongs = pair.belongs(private)
        except ValueError:
            yield rules.KEY_UNREADABLE.found(secret=pair.secret)
            continue
        if not belongs:
            yield rules.KEY_HALVES.found(path=pair.path, secret=pair.secret)
