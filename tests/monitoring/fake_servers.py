"""Small TLS servers on loopback that answer as the real daemons do, or as broken ones would."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.sandbox import PATIENCE
from tests.support.self_signed import self_signed

TLS = "start tls"
"""A step of a script: from here on, the server speaks TLS."""


def certificate(folder: Path, names: Sequence[str], *, days: int = 60) -> ssl.SSLContext:
    """Server side of a self-signed certificate for `names`."""
    file = folder / "server.pem"
    made, key = self_signed(names[0], also=names, days=days, since=1)
    file.write_text(key + made)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@contextmanager
def serving(context: ssl.SSLContext, script: Sequence[str]) -> Iterator[int]:
    """A port where each client gets `script`: "> text" is sent, "< text" is awaited, TLS switches."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.settimeout(PATIENCE)
            with contextlib.suppress(OSError):
                _play(client, context, script)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=6)


def _play(client: socket.socket, context: ssl.SSLContext, script: Sequence[str]) -> None:
    received = b""
    for step in script:
        if step == TLS:
            client = context.wrap_socket(client, server_side=True)
        elif step.startswith("> "):
            client.sendall(step[2:].encode())
        else:
            while step[2:].encode() not in received:
                chunk = client.recv(4096)
                if not chunk:
                    return
                received += chunk
            received = b""
    client.close()
