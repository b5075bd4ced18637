"""unbound, a resolver that validates, on a loopback port in front of a server of the test; it never asks the world."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.resolver
import pytest

from tests.support.ports import free_port
from tests.support.sandbox import wait_for

_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin"


def tool(name: str) -> str:
    """Where a daemon or a tool is. Skips the test where it is not installed."""
    found = shutil.which(name, path=_PATH)
    if found is None:
        pytest.skip(f"{name} is not installed (make packages)")
    return found


class Resolver:
    """How a resolver is asked."""

    def __init__(self, port: int) -> None:
        self.stub = dns.resolver.Resolver(configure=False)
        self.stub.nameservers, self.stub.port, self.stub.lifetime = ["127.0.0.1"], port, 10

    def ask(self, name: str, kind: str) -> dns.message.Message:
        """The whole answer, with what validation says (AD, or SERVFAIL where a signature is wrong)."""
        query = dns.message.make_query(name, kind, want_dnssec=True)
        query.flags |= dns.flags.AD
        return dns.query.udp_with_fallback(query, "127.0.0.1", port=self.stub.port, timeout=10)[0]


@contextmanager
def unbound(folder: Path, upstream: int, zones: Collection[str], trusted: str = "") -> Iterator[Resolver]:
    """unbound, which asks the server at port `upstream` about these zones, believes what keys of `trusted` (DS records)
    have signed, and knows nothing else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), folder / "log"
    (folder / "trusted").write_text(trusted)
    stubs = "".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: 127.0.0.1@{upstream}\n' for zone in zones)
    known = "".join(f'  local-zone: "{zone}" transparent\n' for zone in zones)
    validates = f'  trust-anchor-file: "{folder}/trusted"\n' if trusted else ""
    (folder / "unbound.conf").write_text(
        f"server:\n  interface: 127.0.0.1\n  port: {port}\n  do-daemonize: no\n  use-syslog: no\n"
        f'  username: ""\n  chroot: ""\n  directory: "{folder}"\n  pidfile: "{folder}/pid"\n'
        "  do-not-query-localhost: no\n  unblock-lan-zones: yes\n  insecure-lan-zones: yes\n"
        f'  module-config: "validator iterator"\n{validates}'
        f'  access-control: 127.0.0.0/8 allow\n  local-zone: "." static\n{known}'
        f"remote-control:\n  control-enable: no\n{stubs}"
    )
    with log.open("w") as output:
        command = [tool("unbound"), "-d", "-c", str(folder / "unbound.conf")]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(lambda: "start of service" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield Resolver(port)
    finally:
        process.terminate()
        process.wait(20)


def signed(folder: Path, zone: str, text: str) -> tuple[str, str]:
    """A zone file with its signatures, and the DS records that lead to its key. The root is called `.`."""
    folder.mkdir(parents=True, exist_ok=True)
    name = zone.rstrip(".")
    plain, target = folder / f"{name or 'root'}.plain", folder / f"{name or 'root'}.signed"
    plain.write_text(text)
    keys = [tool("dnssec-keygen"), "-q", "-K", str(folder), "-a", "ECDSAP256SHA256"]
    for more in ([], ["-f", "KSK"]):
        subprocess.run([*keys, *more, zone], check=True, capture_output=True)
    sign = [tool("dnssec-signzone"), "-S", "-3", "-", "-K", str(folder), "-d", str(folder)]
    subprocess.run([*sign, "-o", zone, "-f", str(target), str(plain)], check=True, capture_output=True)
    return target.read_text(), (folder / f"dsset-{name}.").read_text()


def anchor(ds: str) -> str:
    """Of DS records as `signed` gives them, the one with SHA-256 as `mail.outbound.trustAnchors` has it."""
    found = re.search(r"DS\s+(\d+ \d+ 2) ([0-9A-F ]+)", ds)
    assert found, ds
    return f"{found[1]} {found[2].replace(' ', '')}"
