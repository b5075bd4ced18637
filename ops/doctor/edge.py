"""The edge of the doctor: every question leaves this machine here, and every clock and trust store is read here."""

from __future__ import annotations

import datetime
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import NOT_FOUND
from pathlib import Path

import dns.resolver

DNS_TIMEOUT = 3.0
"""Seconds for one try of one question to one server."""
TCP_TIMEOUT = 6.0
"""Seconds for connecting, and for each answer."""
_RDAP = "https://rdap.org/domain/"
"""Leads to the registry of a domain (RFC 9224 tells which that is)."""


@dataclass(frozen=True)
class Edge:
    """This machine's view of the world."""

    resolvers: Sequence[tuple[str, int]]
    """Recursive resolvers, in the order in which they are asked."""
    servers: Sequence[tuple[str, int]] = ()
    """Authoritative servers of all our zones; found by NS records when none are given."""
    authorities: Path | None = None
    """PEM file of certificate authorities to trust beside those of this machine."""

    @classmethod
    def of_this_machine(
        cls, servers: Sequence[tuple[str, int]] = (), authorities: Path | None = None
    ) -> Edge:
        """Asks the resolvers that this machine asks."""
        try:
            found = dns.resolver.get_default_resolver()
            resolvers = tuple((str(address), found.port) for address in found.nameservers)
        except dns.resolver.NoResolverConfiguration:
            resolvers = ()
        return cls(resolvers, servers, authorities)

    def place(self, address: str, port: int) -> tuple[str, int]:
        """Where an address of the world is from here."""
        return address, port

    def connect(self, address: str, port: int) -> socket.socket:
        """A TCP connection. Raises OSError."""
        return socket.create_connection(self.place(address, port), timeout=TCP_TIMEOUT)

    def now(self) -> datetime.datetime:
        """The clock of this machine."""
        return datetime.datetime.now(datetime.UTC)

    def registry(self, domain: str) -> bytes:
        """What the registry says about a domain (RFC 9083); an empty object when it has no such service or domain.

        Raises OSError.
        """
        try:
            with urllib.request.urlopen(f"{_RDAP}{domain}", timeout=TCP_TIMEOUT) as answer:  # noqa: S310 (https above)
                found: bytes = answer.read(1 << 20)
        except urllib.error.HTTPError as error:
            if error.code == NOT_FOUND:
                return b"{}"
            raise
        return found

    def trusting(self) -> ssl.SSLContext:
        """TLS that believes only names and chains that hold."""
        context = ssl.create_default_context()
        if self.authorities:
            context.load_verify_locations(self.authorities)
        return context
