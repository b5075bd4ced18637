"""How long nobody answers."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from tests.acceptance.client.tls import careful

_PATIENCE = 1
_PAUSE = 0.2


def outage(host: str, port: str, until: str) -> str:
    """The longest time between two answers of a port, and the sum of all times in which it was asked in vain, in seconds.

    Watched until the file `until` exists. An answer is Postfix's first byte on 25, and a handshake with the right certificate elsewhere.
    """
    longest, silent, last, in_vain = 0.0, 0.0, time.monotonic(), False
    done = False
    while not done:
        done = Path(until).exists()
        answered = _answers(host, int(port))
        in_vain = in_vain or not answered
        if answered or done:
            passed = time.monotonic() - last
            longest, last = max(longest, passed), last + passed
            # Between two questions that are both answered nobody was sent away.
            silent, in_vain = silent + (passed if in_vain else 0.0), False
        time.sleep(_PAUSE)
    return f"{longest:.1f} {silent:.1f}"


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE) as connection:
            if port == 25:
                return bool(connection.recv(1))
            with careful().wrap_socket(connection, server_hostname=host):
                return True
    except OSError:
        return False
