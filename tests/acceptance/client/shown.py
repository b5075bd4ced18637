"""Certificates as browsers see them."""

from __future__ import annotations

import socket
import ssl

from tests.acceptance.client.tls import careful

_TIMEOUT = 20


def shown(*hosts: str) -> str:
    """For each host a line: its name, and the serial number of what it shows on port 443, or why no browser would go on."""
    context = careful()
    return "\n".join(f"{host} {_serial(host, context)}" for host in hosts)


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
