"""Secrets that are nobody's: of the right form, so that daemons read their configuration, and new at each run."""

from __future__ import annotations

import datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from model.secrets import CATALOGUE, DKIM_PREFIX, Secret, dkim_key
from ops.secrets import make

TEXT = "madeUpInPlaceOfTheRealOne00000000000000"
"""For what only its owner has; it fits the words of FORMATS."""


@cache
def secret(key: str) -> str:
    """In place of the stack's secret of this key."""
    known = {entry.secret.key: entry.secret for entry in CATALOGUE}
    found: Secret | None = known.get(key)
    if key.startswith(DKIM_PREFIX):
        found = dkim_key(key.removeprefix(DKIM_PREFIX))
    return make(found) if found and found.made else TEXT


@cache
def certificate() -> dict[str, str]:
    """A certificate and its key, as a Secret of kubernetes.io/tls has them; for no name that anybody has."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made-up.invalid")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "tls.crt": made.public_bytes(serialization.Encoding.PEM).decode(),
        "tls.key": private.decode(),
    }
