"""Certificates of authorities that somebody runs himself, as text of a stack file."""

from __future__ import annotations

from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from model.kind import Kind


def _authorities(value: str) -> str:
    """`value` as nothing but its certificates, one after the other (RFC 7468). Raises ValueError if there is none.

    Comments around the certificates go no further.
    """
    try:
        found = x509.load_pem_x509_certificates(value.encode())
    except ValueError:
        raise ValueError(
            "must be certificates in PEM: lines from BEGIN CERTIFICATE to END CERTIFICATE"
        ) from None
    if "PRIVATE KEY" in value:
        raise ValueError(
            "holds a private key, which belongs to the authority alone: give its certificate only"
        )
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)


Authorities = Annotated[str, Kind("certificates in PEM", _authorities)]
"""Who vouches for a server in place of the world's authorities."""
