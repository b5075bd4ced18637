"""A name server for containers that are tried without a cluster: everything is at one address, nothing has a policy.

python -m tests.lab.images.resolver ADDRESS [NAME=TEXT...]: A of every name is ADDRESS, its PTR is client.example.net, MX
of a domain is mx.<domain>, TXT of NAME is TEXT; all other questions have no answer.
"""

from __future__ import annotations

import socketserver
import struct
import sys
from collections.abc import Mapping
from ipaddress import IPv4Address

A, PTR, MX, TXT = 1, 12, 15, 16
_STRING = 255
"""Bytes in one part of a TXT record."""
CLIENT = "client.example.net"


def encoded(name: str) -> bytes:
    """A name as DNS writes it (RFC 1035 section 3.1)."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def text(value: str) -> bytes:
    """A TXT record's data."""
    parts = [value[start : start + _STRING].encode() for start in range(0, len(value), _STRING)]
    return b"".join(bytes([len(part)]) + part for part in parts)


def answer(query: bytes, address: str, texts: Mapping[str, str] | None = None) -> bytes:
    """The answer to one query."""
    labels, position = [], 12
    while length := query[position]:
        labels.append(query[position + 1 : position + 1 + length].decode())
        position += 1 + length
    kind = struct.unpack("!H", query[position + 1 : position + 3])[0]
    question = query[12 : position + 5]
    name = ".".join(labels)
    known = (texts or {}).get(name.lower())
    data = {
        TXT: text(known) if known else None,
        A: IPv4Address(address).packed,
        PTR: encoded(CLIENT),
        MX: struct.pack("!H", 10) + encoded(f"mx.{name}"),
    }.get(kind)
    # Lists of spammers say nothing about anybody.
    if data is None or (kind == A and name[:1].isdigit()):
        return query[:2] + struct.pack("!HHHHH", 0x8580, 1, 0, 0, 0) + question
    record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
    return query[:2] + struct.pack("!HHHHH", 0x8580, 1, 1, 0, 0) + question + record


class Server(socketserver.ThreadingUDPServer):
    """Answers with one address and a few texts."""

    def __init__(self, address: str, texts: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 53), Handler)
        self.address, self.texts = address, texts


class Handler(socketserver.BaseRequestHandler):
    """One datagram."""

    server: Server

    def handle(self) -> None:
        query, connection = self.request
        connection.sendto(answer(query, self.server.address, self.server.texts), self.client_address)


if __name__ == "__main__":
    with Server(sys.argv[1], dict(argument.split("=", 1) for argument in sys.argv[2:])) as server:
        server.serve_forever()
