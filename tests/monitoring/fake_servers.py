"""Small TLS servers on loopback that answer as the real daemons do, or as broken ones would."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.sandbox import PATIENCE

TLS = "start tls"
"""A step of a script: from here on, the server speaks TLS."""


def certificate(folder: Path, names: Sequence[str], *, days: int = 60) -> ssl.SSLContext:
    """Server side of a self-signed certificate for `names`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(pem))
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
