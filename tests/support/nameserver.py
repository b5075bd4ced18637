"""A real authoritative name server (BIND) on a loopback port, with dynamic updates for who has the key."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.query
import dns.tsigkeyring
import dns.update
import dns.zone
import pytest

from model.identity import file_name
from tests.support.ports import free_port

ADDRESS = "127.0.0.1"
_KEY_NAME = "tests"
_SECRET = base64.b64encode(hashlib.sha256(b"tests").digest()).decode()

Row = tuple[str, int, str, str]
"""Name, ttl, type, value."""


@dataclass(frozen=True)
class NameServer:
    """One running server."""

    port: int
    folder: Path

    @property
    def given(self) -> str:
        """As `--server` wants it."""
        return f"{ADDRESS}:{self.port}"

    @property
    def key(self) -> Path:
        """File for `--key`."""
        path = self.folder / "tsig"
        path.write_text(f"{_KEY_NAME}:hmac-sha256:{_SECRET}\n")
        return path

    def rows(self, zone: str) -> set[Row]:
        """Everything that the zone holds, but for SOA and NS, by zone transfer."""
        found = dns.zone.from_xfr(
            dns.query.xfr(ADDRESS, f"{zone}.", port=self.port, relativize=False), relativize=False
        )
        return {
            (str(name).rstrip("."), rdataset.ttl, rdataset.rdtype.name, str(rdata))
            for name, rdataset in found.iterate_rdatasets()
            for rdata in rdataset
            if rdataset.rdtype.name not in ("SOA", "NS")
        }

    def add(self, zone: str, name: str, rtype: str, *values: str) -> None:
        """What somebody else enters."""
        update = dns.update.UpdateMessage(
            f"{zone}.", keyring=dns.tsigkeyring.from_text({_KEY_NAME: ("hmac-sha256", _SECRET)})
        )
        for value in values:
            update.add(f"{name}.", 600, rtype, value)
        answer = dns.query.tcp(update, ADDRESS, port=self.port, timeout=10)
        assert answer.rcode() == 0, answer


@contextmanager
def serving(folder: Path, zones: Mapping[str, str], *, transfer: bool = True) -> Iterator[NameServer]:
    """A server of these zones (name -> zone file), ended at the end. Skips the test where there is no BIND.

    `transfer` hands whole zones to everybody.
    """
    named = shutil.which("named", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if named is None:
        pytest.skip("named is not installed (apt-get install bind9)")
    folder.mkdir(parents=True, exist_ok=True)
    server = NameServer(free_port(), folder)
    statements = []
    for zone, text in zones.items():
        path = folder / file_name(zone)
        path.write_text(text)
        statements.append(
            f'zone "{zone}" {{ type primary; file "{path}"; allow-update {{ key {_KEY_NAME}; }}; allow-transfer {{ {"any" if transfer else "none"}; }}; }};'
        )
    config = folder / "named.conf"
    config.write_text(
        f'key {_KEY_NAME} {{ algorithm hmac-sha256; secret "{_SECRET}"; }};\n'
        f'options {{ directory "{folder}"; listen-on port {server.port} {{ {ADDRESS}; }}; listen-on-v6 {{ none; }};'
        f' recursion no; dnssec-validation no; notify no; pid-file none; session-keyfile "{folder}/session.key"; }};\n'
        "controls { };\n" + "\n".join(statements)
    )
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen([named, "-g", "-n", "1", "-c", config], stdout=output, stderr=output)
    try:
        _wait(process, log)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if "all zones loaded" in log.read_text():
            return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())
