"""Real name servers load every zone without a word of complaint and answer with every record.

Needs BIND and Knot (Debian: bind9 bind9-utils knot knot-dnssecutils); a test says so when a program is missing.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from model.identity import Record, file_name, parse, zone_file, zones
from model.identity.zonefile import nameservers
from model.settings import Settings
from tests.identity.stacks import findings, stack
from tests.identity.strategies import settings
from tests.support.ports import free_port

pytestmark = pytest.mark.engine


def program(name: str) -> str:
    """Path of a program; skips the test when the machine does not have it."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install bind9 bind9-utils knot knot-dnssecutils)")
    return found


def check(zone: str, text: str, folder: Path) -> None:
    """Fails unless both checkers accept the zone in silence."""
    path = folder / file_name(zone)
    path.write_text(text)
    bind = subprocess.run(
        [
            program("named-checkzone"),
            "-i",
            "local",
            "-k",
            "fail",
            "-m",
            "fail",
            "-n",
            "fail",
            "-r",
            "fail",
            "-S",
            "fail",
            "-M",
            "fail",
            zone,
            path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert bind.returncode == 0, bind.stdout + bind.stderr
    assert [line for line in bind.stdout.splitlines() if "loaded serial" not in line] == ["OK"]
    knot = subprocess.run(
        [program("kzonecheck"), "-v", "-o", zone, path], capture_output=True, text=True, check=False
    )
    assert (knot.returncode, knot.stderr) == (0, ""), knot.stdout + knot.stderr
    assert knot.stdout.strip() == "No semantic error found"


def test_bind_and_knot_accept_every_zone_of_the_full_stack(tmp_path: Path) -> None:
    found = stack()
    for zone, records in zones(found).items():
        check(zone, zone_file(found, zone, records), tmp_path)


@examples(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(generated=settings())
def test_bind_and_knot_accept_every_zone_of_any_stack_without_errors(
    generated: Settings, tmp_path: Path
) -> None:
    if any(f.severity == "error" for f in findings(generated)):
        return
    for zone, records in zones(generated).items():
        check(zone, zone_file(generated, zone, records), tmp_path)


@pytest.mark.parametrize("server", ["named", "knotd"])
def test_a_real_server_answers_with_every_record(server: str, tmp_path: Path) -> None:
    found = stack(
        dns__zones={"example.org": "", "example.net": "", "example.com": ""},
        dns__ptr={
            "provider": "zones",
            "zones": {"0/28.100.51.198.in-addr.arpa": "", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": ""},
        },
    )
    published = zones(found)
    for zone, records in published.items():
        (tmp_path / file_name(zone)).write_text(zone_file(found, zone, records))
    with running(server, list(published), tmp_path) as port:
        for zone, records in published.items():
            wanted: dict[tuple[str, str], set[Record]] = {}
            for record in (*records, *nameservers(found, zone)):
                wanted.setdefault((record.name, record.type), set()).add(record)
            for (name, kind), expected in wanted.items():
                assert answer(name, kind, port) == expected


def answer(name: str, kind: str, port: int) -> set[Record]:
    """The records that the server on `port` has, as this model reads them."""
    response = dns.query.tcp(dns.message.make_query(name, kind), "127.0.0.1", port=port, timeout=10)
    assert response.rcode() == dns.rcode.NOERROR
    return {
        parse(f"{rrset.name.to_text()} {rrset.ttl} IN {kind} {rdata.to_text()}")
        for rrset in response.answer
        for rdata in rrset
    }


@contextlib.contextmanager
def running(server: str, names: list[str], folder: Path) -> Iterator[int]:
    """A server with these zones on a free port of the loopback address, until the block ends."""
    port = free_port()
    path = folder / f"{server}.conf"
    path.write_text(named(names, folder, port) if server == "named" else knotd(names, folder, port))
    arguments = ["-g", "-n", "1", "-c", path] if server == "named" else ["-c", path]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program(server), *map(str, arguments)], stdout=log, stderr=log)
    try:
        wait(port, names, process, folder / "log")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def wait(port: int, names: list[str], process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when the server answers for every zone."""
    deadline = time.monotonic() + 60
    for name in names:
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            with contextlib.suppress(OSError, dns.exception.DNSException):
                query = dns.message.make_query(name, "SOA")
                if dns.query.tcp(query, "127.0.0.1", port=port, timeout=2).answer:
                    break
            time.sleep(0.2)


def named(names: list[str], folder: Path, port: int) -> str:
    """Configuration of BIND."""
    listed = "".join(f'zone "{n}" {{ type primary; file "{folder / file_name(n)}"; }};\n' for n in names)
    return f"""
options {{
  directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no;
}};
controls {{ }};
{listed}"""


def knotd(names: list[str], folder: Path, port: int) -> str:
    """Configuration of Knot."""
    listed = "".join(f'  - domain: "{n}"\n    file: "{folder / file_name(n)}"\n' for n in names)
    return f"""
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{folder}"
template:
  - id: default
    storage: "{folder}"
    journal-content: none
    zonefile-sync: -1
zone:
{listed}"""
