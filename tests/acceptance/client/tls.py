"""TLS as a careful client does it: names and chains are checked against the stack's own authority."""

from __future__ import annotations

import os
import ssl

AUTHORITY = "KOLAB_CLIENT_AUTHORITY"
"""Variable with the path of the certificate that answers for the stack's names."""


def careful() -> ssl.SSLContext:
    """Refuses any name that the certificate does not hold, and any certificate of somebody else."""
    return ssl.create_default_context(cafile=os.environ[AUTHORITY])


def careless() -> ssl.SSLContext:
    """Takes any certificate, as most mail servers do of each other (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
