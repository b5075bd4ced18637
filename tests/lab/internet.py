"""The internet: one client and one DNS server, beyond the router."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab import network
from tests.lab.internet_dns import InternetDns
from tests.lab.processes import environment, in_namespace, run
from tests.lab.settings import Settings

_ASK = """
import sys, dns.resolver
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.lifetime = [sys.argv[1]], 3
try:
    print("\\n".join(r.to_text() for r in resolver.resolve(sys.argv[2], sys.argv[3])))
except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
    pass
"""


class Internet:
    """Commands run with the client's address; names are resolved by the lab's DNS server."""

    def __init__(self, state: Path, settings: Settings) -> None:
        self.address = settings.client
        self.dns = InternetDns(state, settings)
        self._resolver = state / "dns" / "resolv.conf"
        self._server = settings.internet_dns

    def up(self) -> None:
        """Start the DNS server."""
        self.dns.up()
        self._resolver.write_text(f"nameserver {self._server}\n")

    def run(self, command: Sequence[str | Path], *, text: str | None = None, seconds: float = 120) -> str:
        """Output of a command that has to succeed."""
        return run(self.command(command), text=text, seconds=seconds)

    def ask(self, command: Sequence[str | Path], *, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """A command that may fail: exit code, output and errors."""
        return subprocess.run(
            self.command(command),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=environment(),
        )

    def start(self, command: Sequence[str | Path]) -> subprocess.Popen[str]:
        """A command in the background, as a server that the cluster talks to; the caller ends it, or `down` does."""
        return subprocess.Popen(
            self.command(command),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment(),
        )

    @contextmanager
    def also(self, address: str) -> Iterator[None]:
        """Has one more address lead to the client: somebody else of the world, or a cloud's metadata server."""
        network.lend(address, lent=True)
        try:
            yield
        finally:
            network.lend(address, lent=False)

    def command(self, command: Sequence[str | Path]) -> list[str]:
        """The command line that runs `command` there; as root, on this machine's files, but with its own resolver."""
        resolver = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        isolate = ["unshare", "--mount", "--propagation", "private", "sh", "-c", resolver]
        return in_namespace(network.INTERNET, [*isolate, self._resolver, *command])

    def resolve(self, name: str, kind: str = "A") -> list[str]:
        """What the internet's DNS server answers, as zone files write it; empty when there is nothing."""
        return self.run([sys.executable, "-c", _ASK, self._server, name, kind]).split("\n")[:-1]
