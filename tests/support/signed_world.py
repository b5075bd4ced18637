"""A small Internet with DNSSEC in network and mount namespaces of its own: root servers, receivers with and without keys in
DNS, the cluster's DNS, and our pod: Postfix, with the resolver of its rendered container and its rendered resolv.conf.

`python -m tests.support.signed_world` is started there (`outcome`) and prints what became of one message to each receiver.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.deploy import Deployment, deploy
from tests.support.postfix import (
    Mailbox,
    Mailserver,
    authority,
    identity,
    mailserver,
    named_key,
    needs_postfix,
)
from tests.support.resolver import anchor, signed, tool
from tests.support.sandbox import wait_for
from tests.support.stacks import changed

_CLUSTER_DNS = "10.43.0.10"
_ROOT_SERVERS = (
    "198.41.0.4", "170.247.170.2", "192.33.4.12", "199.7.91.13", "192.203.230.10", "192.5.5.241", "192.112.36.4",
    "198.97.190.53", "192.36.148.17", "192.58.128.30", "193.0.14.129", "199.7.83.42", "202.12.27.33", "199.9.14.201",
)  # fmt: skip
"""Where unbound looks for the root, of whatever age its list is."""


@dataclass(frozen=True)
class _Receiver:
    """A domain with one server. `names` is whose key its zone names; it lies in the root's zone, or in one of its own."""

    address: str
    names: str = ""
    zone: str = "root"


RECEIVERS = {
    "right": _Receiver("203.0.113.1", names="right"),
    "wrong": _Receiver("203.0.113.2", names="right"),
    "none": _Receiver("203.0.113.3"),
    "exempt": _Receiver("203.0.113.4", names="right"),
    "unsigned": _Receiver("203.0.113.5", names="right", zone="unsigned"),
    "bogus": _Receiver("203.0.113.6", zone="bogus"),
    # The resolver is silent when mail comes, and is there again later.
    "later": _Receiver("203.0.113.7", names="later"),
}
"""Label of a domain below example. -> its server."""


def outcome() -> dict[str, Any]:
    """What became of one message to each receiver. Skips the test where that cannot be tried."""
    needs_postfix()
    for each in ("unbound", "named", "dnssec-keygen", "dnssec-signzone", "ip", "unshare"):
        tool(each)
    apart = ["unshare", "--net", "--mount", "--propagation", "private"]
    done = subprocess.run(
        [*apart, sys.executable, "-m", __name__], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _main() -> None:
    with tempfile.TemporaryDirectory(prefix="kolab-signed-") as path, ExitStack() as running:
        folder = Path(path)
        folder.chmod(0o755)
        _addresses()
        identities = {label: identity(authority(), f"mx.{label}.example") for label in RECEIVERS}
        stack = _stack(running.enter_context(_servers(folder, identities)))
        _resolv_conf(stack)
        boxes = {
            label: running.enter_context(_receiver(folder, label, identities[label])) for label in RECEIVERS
        }
        ours = running.enter_context(mailserver(stack, None, straight=True))
        with _resolver(folder, stack):
            for label in (each for each in RECEIVERS if each != "later"):
                ours.send(f"reader@{label}.example", label)
            _settled(ours, [label for label in RECEIVERS if label != "later"])
        ours.send("reader@later.example", "later")
        _settled(ours, ["later"])
        waited = not boxes["later"].took
        with _resolver(folder, stack) as log:
            subprocess.run(
                ["/usr/sbin/postqueue", "-c", str(ours.sandbox.path("/etc/postfix")), "-f"], check=True
            )
            wait_for(lambda: boxes["later"].took)
            found = {
                "waited": waited,
                "took": {label: sorted(box.subjects()) for label, box in boxes.items()},
                "log": ours.log,
                "resolver": log.read_text(),
                "inside": _inside(),
            }
    print(json.dumps(found))


def _stack(believed: str) -> Deployment:
    """Our stack, in a network whose root is that of the test."""
    outbound = {"dane": True, "exempt": ["exempt.example"], "trustAnchors": [believed]}
    return deploy(changed("single-node", {"mail": {"outbound": outbound}}))


def _addresses() -> None:
    own = (*_ROOT_SERVERS, _CLUSTER_DNS, *(each.address for each in RECEIVERS.values()))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in own:
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)


def _records(label: str, identities: Mapping[str, str]) -> str:
    each, host = RECEIVERS[label], f"mx.{label}.example."
    found = f"{label}.example. MX 10 {host}\n{host} A {each.address}\n"
    return found + (f"_25._tcp.{host} TLSA {named_key(identities[each.names])}\n" if each.names else "")


_HEAD = "$TTL 60\n@ SOA ns.root.example. hostmaster.example. 1 3600 600 86400 60\n@ NS ns.root.example.\n"


@contextmanager
def _servers(folder: Path, identities: Mapping[str, str]) -> Iterator[str]:
    """All authoritative servers there are; yields the DS record of the root."""
    apart = {each.zone for each in RECEIVERS.values()} - {"root"}
    zones = {
        f"{zone}.example": _HEAD
        + "".join(_records(label, identities) for label in RECEIVERS if RECEIVERS[label].zone == zone)
        for zone in apart
    }
    text, _ = signed(folder / "keys", "bogus.example", zones["bogus.example"])
    # What the root says of it is of another key.
    _, ds = signed(folder / "others", "bogus.example", zones["bogus.example"])
    zones["bogus.example"] = text
    root = _HEAD + "ns.root.example. A 198.41.0.4\n" + ds
    root += "".join(f"{zone}.example. NS ns.root.example.\n" for zone in apart)
    root += "".join(_records(label, identities) for label, each in RECEIVERS.items() if each.zone == "root")
    zones["."], ds = signed(folder / "root", ".", root)
    zones["cluster.local"] = _HEAD + "mariadb.kolab.svc.cluster.local. A 10.43.0.77\n"
    listed = ""
    for name, text in zones.items():
        file = folder / f"zone-{name}"
        file.write_text(text)
        listed += f'zone "{name}" {{ type primary; file "{file}"; }};\n'
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; listen-on {{ {"; ".join((*_ROOT_SERVERS, _CLUSTER_DNS))}; }}; listen-on-v6 {{ none; }};\n'
        f"  pid-file none; session-keyfile none; recursion no; notify no; empty-zones-enable no; }};\ncontrols {{ }};\n{listed}"
    )
    with _running(
        folder / "named.log",
        [tool("named"), "-g", "-n", "1", "-c", str(folder / "named.conf")],
        "all zones loaded",
    ):
        yield anchor(ds)


def _resolv_conf(stack: Deployment) -> None:
    """As the kubelet writes it (pkg/kubelet/network/dns)."""
    pod = stack.workload("postfix").pod
    assert pod["dnsPolicy"] == "None"
    given = pod["dnsConfig"]
    lines = [
        f"search {' '.join(given['searches'])}",
        *(f"nameserver {each}" for each in given["nameservers"]),
    ]
    options = (":".join(filter(None, (each["name"], each.get("value")))) for each in given["options"])
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write("\n".join((*lines, f"options {' '.join(options)}")) + "\n")
    Path(file.name).chmod(0o644)
    subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)


@contextmanager
def _resolver(folder: Path, stack: Deployment) -> Iterator[Path]:
    """The container of the pod; yields its log."""
    container = stack.workload("postfix").container("unbound")
    program, *arguments = container["command"]
    text = stack.file("postfix", "unbound", arguments[-1])
    (folder / "unbound.conf").write_text(text)
    log = folder / "unbound.log"
    with _running(log, [program, *arguments[:-1], str(folder / "unbound.conf")], "start of service"):
        yield log


@contextmanager
def _running(log: Path, command: list[str], started: str) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: started in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _receiver(folder: Path, label: str, pem: str) -> Iterator[Mailbox]:
    """A server of the world, which offers TLS with its own certificate."""
    file = folder / f"{label}.pem"
    file.write_text(pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    box = Mailbox()
    server = Controller(box, RECEIVERS[label].address, 25, tls_context=context)
    server.start()
    try:
        yield box
    finally:
        server.stop()


def _settled(ours: Mailserver, labels: list[str]) -> None:
    """Waits until Postfix has tried each, beyond the filter."""
    for label in labels:
        tried = rf"to=<reader@{label}\.example>, relay=(?!127\.).* status="
        wait_for(lambda tried=tried: re.search(tried, ours.log))


def _inside() -> list[str]:
    """What programs of the pod find under the short name of a Service."""
    done = subprocess.run(["getent", "ahostsv4", "mariadb"], capture_output=True, text=True, check=False)
    return sorted({line.split()[0] for line in done.stdout.splitlines()})


if __name__ == "__main__":
    os.umask(0o022)
    _main()
