"""DKIM key pairs for tests, made once per run."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@lru_cache
def private(name: str, bits: int) -> rsa.RSAPrivateKey:
    """The key pair called `name`: the same one each time."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public(name: str, bits: int = 2048) -> str:
    """The p= of that pair."""
    key = private(name, bits).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def pem(name: str) -> bytes:
    """The private half as Amavis mounts it."""
    return private(name, 2048).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def elliptic() -> str:
    """A public key that is no RSA key."""
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
