"""Traefik before the websites of a stack: as Ingress controller, and as Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.acceptance.stack import Stack
from tests.lab.cluster import Lab
from tests.lab.traefik import CLASS, GATEWAY, LISTENERS, NAMESPACE, Traefik

ADDRESS = "192.168.50.209"
"""Where the world finds the websites now; mail stays where it was."""
WAYS = ("ingress", "gateway")


@dataclass(frozen=True)
class Before:
    """A stack whose websites somebody else serves."""

    stack: Stack
    traefik: Traefik
    way: str


@contextmanager
def served(stack: Stack, lab: Lab, way: str) -> Iterator[Before]:
    """Traefik serves the websites; at the end the proxy does so again."""
    before = stack.program.config()
    node = next(each for each in lab.settings.node_names if each not in stack.egress)
    traefik = Traefik(lab, ADDRESS, node)
    with traefik.working():
        network = {**before["kolab:network"], way: _section(way, traefik, stack.authority.read_text())}
        stack.program.change({"network": network})
        try:
            stack.publish()
            stack.apply()
            # Whom the proxy of before still serves is cut off when it ends.
            stack.wait_ready()
            yield Before(stack, traefik, way)
        finally:
            stack.program.write(before)
            stack.publish()
            stack.apply()


def _section(way: str, traefik: Traefik, authority: str) -> dict[str, Any]:
    believed = {"controllerCidr": f"{traefik.pod_address}/32", "addresses": [traefik.address]}
    if way == "ingress":
        return {"className": CLASS, "controller": "traefik", "namespace": NAMESPACE, **believed}
    return {
        "name": GATEWAY,
        "namespace": NAMESPACE,
        "listeners": [name for name, _, _ in LISTENERS],
        "redirect": "http",
        "authorities": authority,
        "controllerNamespace": NAMESPACE,
        **believed,
    }
