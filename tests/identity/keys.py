"""DKIM keys for tests. Of one there is a private half; the others are public halves that nobody can sign for."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SIGNING = "one"
"""The name of the pair that signs."""


@lru_cache
def _private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache
def public(name: str, bits: int = 2048) -> str:
    """The p= of the key called `name`: the same one each time, and made at once. To make a pair takes a while."""
    if name == SIGNING and bits == 2048:
        key = _private().public_key()
    else:
        digits = hashlib.shake_256(f"{name} {bits}".encode()).digest(bits // 8)
        modulus = int.from_bytes(digits) % (1 << bits) | 1 << (bits - 1) | 1
        key = rsa.RSAPublicNumbers(65537, modulus).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def pem() -> bytes:
    """The private half of the pair that signs, as Amavis mounts it."""
    return _private().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def elliptic() -> str:
    """A public key that is no RSA key."""
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
