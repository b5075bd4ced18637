"""Clients that take their time: large uploads over slow lines, phones that wait, sockets that are silent."""

from __future__ import annotations

import base64
import socket
import ssl
import time

from tests.acceptance.client.tls import careful

_MIB = 1024 * 1024
_FIRST = 16 * 1024
_FRAME = bytes.fromhex("818537fa213d7f9f4d5158")
"""`Hello` as a client sends it (RFC 6455 section 5.7)."""


def _opened(host: str, seconds: float) -> ssl.SSLSocket:
    plain = socket.create_connection((host, 443), timeout=seconds)
    return careful().wrap_socket(plain, server_hostname=host)


def _head(secure: ssl.SSLSocket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found and (more := secure.recv(4096)):
        found += more
    return found


def upload(host: str, path: str, mebibytes: str, seconds: str) -> str:
    """The first line of the answer to a body of this size that takes so long."""
    number = int(mebibytes)
    with _opened(host, 120) as secure:
        secure.sendall(_uploading(host, path, number))
        for _ in range(number):
            secure.sendall(bytes(_MIB))
            time.sleep(float(seconds) / number)
        return _head(secure).partition(b"\r\n")[0].decode(errors="replace")


def announced(host: str, path: str, mebibytes: str) -> str:
    """The first line of the answer to who says that so much will come, and waits after its first bytes: who is refused and goes on
    may be cut off before it reads that. Fewer bytes would not make Traefik ask the server behind it."""
    with _opened(host, 120) as secure:
        secure.sendall(_uploading(host, path, int(mebibytes)) + bytes(_FIRST))
        return _head(secure).partition(b"\r\n")[0].decode(errors="replace")


def _uploading(host: str, path: str, mebibytes: int) -> bytes:
    head = (
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/octet-stream",
        f"Content-Length: {mebibytes * _MIB}",
        "Connection: close",
    )
    return "\r\n".join([*head, "", ""]).encode()


def ping(host: str, user: str, password: str, seconds: str) -> str:
    """What a phone is told that asks for news and gets none for so long, and how long that took ([MS-ASHTTP] Ping)."""
    given, wait = base64.b64encode(f"{user}:{password}".encode()).decode(), int(seconds)
    with _opened(host, wait + 60) as secure:
        head = (
            f"POST /Microsoft-Server-ActiveSync?Cmd=Ping&HeartbeatInterval={wait} HTTP/1.1",
            f"Host: {host}",
            f"Authorization: Basic {given}",
            "Content-Length: 0",
            "Connection: close",
        )
        began = time.monotonic()
        secure.sendall("\r\n".join([*head, "", ""]).encode())
        found = b""
        while more := secure.recv(4096):
            found += more
    answer, _, body = found.decode(errors="replace").partition("\r\n\r\n")
    return f"{time.monotonic() - began:.0f} {answer.partition(chr(13))[0]} {' '.join(body.split())}"


def upgraded(host: str, path: str, seconds: str) -> str:
    """The first line of the answer to who wants a WebSocket there, and what comes of a frame after so many seconds, through which
    this side is silent."""
    with _opened(host, 30) as secure:
        head = (
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        secure.sendall("\r\n".join([*head, "", ""]).encode())
        answer = _head(secure).partition(b"\r\n")[0].decode(errors="replace")
        if (heard := _heard(secure, float(seconds))) is None:
            return f"{answer}, closed while it was silent"
        secure.sendall(_FRAME)
        back = _heard(secure, 5)
    if back is None:
        return f"{answer}, closed"
    words = ["open", *(["the same"] if back == _FRAME else []), *(["heartbeats"] if heard else [])]
    return ", ".join([answer, *words])


def _heard(secure: ssl.SSLSocket, seconds: float) -> bytes | None:
    """What comes meanwhile; nothing where the other side ends it."""
    found, until = b"", time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        secure.settimeout(left)
        try:
            more = secure.recv(4096)
        except TimeoutError:
            break
        if not more:
            return None
        found += more
    return found
