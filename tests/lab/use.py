"""What tests of the lab do with it again and again."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.lab import programs
from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.lab.progress import wait_until

LOCAL, CLUSTER = "192.168.50.201", "192.168.50.202"
Apply = Callable[..., None]


def in_pod(lab: Lab, name: str, *command: str, namespace: str = "default") -> str:
    """Output of a command in a pod of a Deployment."""
    return lab.kubectl("-n", namespace, "exec", f"deployment/{name}", "--", *command).strip()


def reaches(lab: Lab, name: str, address: str, protocol: str = "tcp", namespace: str = "default") -> bool:
    """Whether a pod gets an answer from an echo."""
    try:
        return "client=" in in_pod(lab, name, "/echo", "ask", protocol, address, namespace=namespace)
    except LabError:
        return False


def seen_by(lab: Lab, address: str, protocol: str = "tcp") -> str:
    """The address with which the internet's client is seen behind `address`."""

    def answer() -> str:
        done = lab.internet.ask([programs.program("echo"), "ask", protocol, f"{address}:80"])
        return done.stdout

    found = re.search(r"client=(\S+)", wait_until(f"{address} answers", answer, seconds=60))
    assert found
    return found[1]
