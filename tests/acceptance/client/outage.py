"""How long nobody answers."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from tests.acceptance.client.tls import careful

_PATIENCE = 1
_PAUSE = 0.2


def outage(host: str, port: str, until: str) -> str:
    """The longest time between two answers of a port, in seconds, watched until the file `until` exists.

    An answer is Postfix's first byte on 25, and a handshake with the right certificate elsewhere.
    """
    longest, last = 0.0, time.monotonic()
    while not Path(until).exists():
        if _answers(host, int(port)):
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        time.sleep(_PAUSE)
    return f"{max(longest, time.monotonic() - last):.1f}"


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE) as connection:
            if port == 25:
                return bool(connection.recv(1))
            with careful().wrap_socket(connection, server_hostname=host):
                return True
    except OSError:
        return False
