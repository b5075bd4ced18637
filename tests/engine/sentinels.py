"""Secrets that are recognised wherever they turn up."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from model.secrets import Format, Secret
from tests.identity import keys


def sentinel(secret: Secret) -> str:
    """A valid value that occurs nowhere else."""
    kind: Format = secret.format
    digest = hashlib.sha256(secret.key.encode())
    if kind in ("rsa2048", "rsa4096"):
        # 2048 bits for both: the larger ones take long to make and nobody here measures them.
        return keys.pem(secret.key).decode()
    if kind == "ecP256":
        return _elliptic()
    if kind == "uuid":
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, secret.key))
    if kind == "hex":
        return digest.hexdigest()
    if kind == "appKey":
        return "base64:" + base64.b64encode(digest.digest()).decode()
    return f"Sentinel{digest.hexdigest()}"[:32]


def _elliptic() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )


def found_in(content: bytes, secrets: Mapping[str, str]) -> list[str]:
    """Keys of the secrets that occur in `content`, as they are or anywhere inside base64."""
    return [
        key for key, value in secrets.items() if any(trace in content for line in _lines(value) for trace in _traces(line))
    ]


def _lines(value: str) -> list[str]:
    """One line, or those lines of a key that no other key has: escaped line ends differ from place to place."""
    lines = value.splitlines()
    return lines if len(lines) == 1 else [line for line in lines[2:-2] if len(line) == 64]


def _traces(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield raw
    for offset in range(3):
        # Base64 of a longer text that holds this one: three alignments, without the characters shared with neighbours.
        encoded = base64.b64encode(b"\0" * offset + raw)
        yield encoded[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]
