"""Ports of this machine for the servers of tests."""

from __future__ import annotations

import socket

_HELD: list[socket.socket] = []


def free_port() -> int:
    """A port that nothing else gets while this test process lives.

    A port that is only asked for and given back is soon somebody else's, another server's of the same test or the
    near end of any connection, and the more so the longer a busy machine takes to start the server. So it stays
    bound; a server may listen there all the same, since servers set SO_REUSEADDR and this socket never listens. Bound
    at all addresses: else a client that comes from 127.0.0.9 might get the port there, and no server could listen at all.
    """
    held = socket.socket()
    held.bind(("", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _HELD.append(held)
    port: int = held.getsockname()[1]
    return port
