"""Keys and certificates for containers that are tried outside of a cluster."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.self_signed import self_signed


@cache
def certificate() -> tuple[str, str]:
    """A certificate that signed itself, and its key, as PEM."""
    return self_signed("kolab.example.org", days=30)


@cache
def rsa_key() -> str:
    """An RSA key as DKIM wants it."""
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def dkim_record(pem: str) -> str:
    """The TXT record of a private key's public half."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
