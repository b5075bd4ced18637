"""Programs of the monitoring that have an account (components/mail_client.py), run here against the daemons of a test."""

from __future__ import annotations

import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.cyrus import PASSWORD
from tests.support.deploy import Deployment
from tests.support.ports import free_port
from tests.support.postfix import authority, identity, pem

_SCRIPTS = Path("components/scripts").absolute()


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS of a server that is called localhost, and who vouches for it."""
    ca = authority()
    (folder / "pem").write_text(identity(ca, "localhost"))
    (folder / "ca").write_text(pem(ca))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "pem")
    return tls, folder / "ca"


def command(deployed: Deployment, daemon: str) -> list[str]:
    """What the container runs."""
    (container,) = deployed.workload(daemon).containers
    return list(container["command"])


@dataclass
class Running:
    """The program of a pod, which runs here. `port` is where its numbers are."""

    port: int
    out: Path

    def page(self) -> str:
        """The page that Prometheus reads."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=20) as answer:
            return str(answer.read().decode())

    def numbers(self) -> dict[str, float]:
        """Series -> value; none before it answers."""
        try:
            lines = [line for line in self.page().splitlines() if not line.startswith("#")]
        except OSError:
            return {}
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def number(self, name: str) -> float | None:
        """One of them; None where it is not there."""
        return self.numbers().get(name)


@contextmanager
def started(
    deployed: Deployment,
    daemon: str,
    here: Mapping[str, str],
    folder: Path,
    *,
    password: str = PASSWORD,
    environment: Mapping[str, str],
    more: tuple[str, ...] = (),
) -> Iterator[Running]:
    """The pod's command line with the addresses of this machine."""
    port = free_port()
    (folder / "password").write_text(password)
    here = {**here, "--password-file": str(folder / "password"), "--metrics-port": str(port)}
    _, script, *words = command(deployed, daemon)
    told = [each.partition("=")[::2] for each in words if "=" in each]
    assert {*here} < {name for name, _ in told}
    line = [f"{name}={here.get(name, value)}" for name, value in told]
    out = folder / "out"
    with out.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, _SCRIPTS / daemon / Path(script).name, *line, *more],
            # In the pod, what they share lies beside them.
            env={"PYTHONPATH": str(_SCRIPTS / "mail-client"), **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Running(port, out)
    finally:
        process.terminate()
        process.wait(20)
