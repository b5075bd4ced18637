"""Who may reach what by the topology, and how that differs from what was seen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from model import topology
from model.settings import Settings
from model.topology import Connection, Daemon, Outside, Port

OPEN, REFUSED, SILENT = "open", "refused", "silent"
"""What a probe sees of a target."""
NAMES = "names"
"""Who owns the cluster's DNS."""


@dataclass(frozen=True, order=True)
class Target:
    """One port of `owner`, a daemon or a place outside, at one of its addresses. `dialled` is the number under which
    that address knows the port `number`."""

    owner: str
    protocol: str
    number: int
    address: str
    dialled: int

    @property
    def wire(self) -> str:
        """As the probe wants it."""
        return f"{self.protocol.lower()}/{self.address}:{self.dialled}"

    def __str__(self) -> str:
        return f"{self.owner} {self.number} ({self.wire})"


Client = TypeVar("Client")
"""Whoever asks; its text says who it is."""


class Policy:
    """What the topology of a stack allows."""

    def __init__(self, settings: Settings) -> None:
        self._public = topology.public_ports(settings)
        self._connections = topology.connections(settings)
        self._daemons = {daemon.name: daemon for daemon in topology.daemons(settings)}

    def ports(self, daemon: Daemon) -> set[Port]:
        """Every port that a daemon is known to have."""
        return {*daemon.ports, *(each.target for each in self._public if each.daemon == daemon)}

    def of_daemon(self, client: str, target: Target) -> bool:
        """Whether a pod of this daemon may reach the target."""
        return any(
            self._leads(connection, target)
            for connection in self._connections
            if connection.client.name == client
        )

    def of_stranger(self, target: Target) -> bool:
        """Whether a pod that no policy holds back may: what is public, and whatever lies outside."""
        if target.owner not in self._daemons:
            return True
        ports = {(each.daemon.name, each.target.protocol, each.target.number) for each in self._public}
        return (target.owner, target.protocol, target.number) in ports

    def _leads(self, connection: Connection, target: Target) -> bool:
        if isinstance(connection.server, Outside):
            ports = set(connection.server.ports) if self._outside(connection.server, target) else set()
        elif connection.server.name == target.owner:
            named = {port for port in self.ports(connection.server) if port.name in connection.ports}
            ports = named or set(connection.server.ports)
        else:
            ports = set()
        return (target.protocol, target.number) in {(port.protocol, port.number) for port in ports}

    def _outside(self, peer: Outside, target: Target) -> bool:
        """Whether a target may be this peer. Other people's pods that are one are those of the cluster's DNS."""
        if target.owner in self._daemons:
            return False
        return (peer.pods is not None and target.owner == NAMES) or any(
            target.address in block for block in peer.blocks
        )


def differences(
    seen: Mapping[tuple[Client, Target], str], allowed: Callable[[Client, Target], bool]
) -> list[str]:
    """Connections that are there and may not be, and those that are missing; one sentence each. `seen` is what came
    of each client's question to each target."""
    surplus = sorted(
        f"surplus: {client} reaches {target}"
        for (client, target), answer in seen.items()
        if answer == OPEN and not allowed(client, target)
    )
    missing = sorted(
        f"missing: {client} does not reach {target}, which is {answer}"
        for (client, target), answer in seen.items()
        if answer != OPEN and allowed(client, target)
    )
    return [*surplus, *missing]


def enforced(before: str, after: str) -> bool:
    """Whether a cluster enforces policies: `before` and `after` are what a canary saw without and with a policy that
    forbids it everything. Without the first, nothing can be said."""
    if before != OPEN:
        raise AssertionError(f"two pods that no policy holds back do not reach each other: {before}")
    return after != OPEN
