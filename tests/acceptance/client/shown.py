"""Certificates as browsers see them."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.client.tls import careful

_TIMEOUT = 20
_AT_ONCE = 16


def shown(*hosts: str) -> str:
    """For each host a line: its name, and the serial number of what it shows on port 443, or why no browser would go on."""
    context = careful()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return "\n".join(pool.map(lambda host: f"{host} {_serial(host, context)}", hosts))


def _serial(host: str, context: ssl.SSLContext) -> str:
    try:
        with (
            socket.create_connection((host, 443), timeout=_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            certificate = secure.getpeercert()
            assert certificate
            return str(certificate["serialNumber"])
    except (OSError, ssl.SSLError) as error:
        return f"refused: {error}".replace("\n", " ")
