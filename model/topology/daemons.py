"""Daemons and the ports that they listen on. Facts: ports of docs/reference/upstream.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from model.settings import Settings

Protocol = Literal["TCP", "UDP"]


@dataclass(frozen=True)
class Port:
    """A port that a daemon listens on. The name is what Services target; at most 15 characters (RFC 6335)."""

    name: str
    number: int
    protocol: Protocol = "TCP"


@dataclass(frozen=True)
class Daemon:
    """One kind of pod and its Service of the same name."""

    name: str
    ports: tuple[Port, ...] = ()

    def port(self, name: str) -> Port:
        """The port called `name`. Raises KeyError when there is none."""
        for port in self.ports:
            if port.name == name:
                return port
        raise KeyError(f"{self.name} has no port {name}")

    def at(self, port: str) -> str:
        """host:port as other daemons write it."""
        return f"{self.name}:{self.port(port).number}"

    def url(self, port: str, path: str = "") -> str:
        """http URL inside the cluster."""
        return f"http://{self.at(port)}{path}"


MARIADB = Daemon("mariadb", (Port("mysql", 3306),))
REDIS = Daemon("redis", (Port("redis", 6379),))
MINIO = Daemon("minio", (Port("s3", 9000),))
IMAP = Daemon(
    "imap",
    (
        Port("imap", 11143),
        Port("http", 11080),
        Port("lmtp", 11024),
        Port("sieve", 4190),
        Port("sieve-tls", 4191),  # our own listener: the image's 4190 takes passwords in the clear
    ),
)
POSTFIX = Daemon(
    "postfix",
    (Port("smtp-in", 10025), Port("submission", 10587), Port("metrics", 9154)),
)
WEBAPP = Daemon("webapp", (Port("http", 8000),))
HORIZON = Daemon("horizon")
SCHEDULER = Daemon("scheduler")
SEED = Daemon("seed")
ROUNDCUBE = Daemon("roundcube", (Port("http", 8080),))
ROUNDCUBE_MIGRATE = Daemon("roundcube-migrate")
COLLABORA = Daemon("collabora", (Port("http", 9980),))
MEET = Daemon("meet", (Port("http", 12080),))
TURN = Daemon("coturn", (Port("turn", 3478), Port("turn-udp", 3478, "UDP")))
PROXY = Daemon(
    "proxy",
    (
        Port("redirect", 6081),
        Port("http", 6080),
        Port("https", 6443),
        # On one shared address only these names tell pods apart, and Cyrus and Postfix have an imap and a submission.
        Port("imap-starttls", 6143),
        Port("imaps", 6993),
        Port("submit-starttls", 6587),
        Port("submissions", 6465),
    ),
)
PROMETHEUS = Daemon("prometheus", (Port("http", 9090),))
ALERTMANAGER = Daemon("alertmanager", (Port("http", 9093),))
LOGS = Daemon("victorialogs", (Port("http", 9428),))
VECTOR = Daemon("vector", (Port("metrics", 9598),))
BLACKBOX = Daemon("blackbox", (Port("http", 9115),))

MEET_FIRST_MEDIA_PORT = 44444
"""First WebRTC port; worker n listens on this plus n (upstream: meet/server/server.js)."""
TURN_ALLOCATIONS = 600
"""Relays that coturn grants at the same time. A browser takes up to two (Firefox: one for each way to the server)."""
TURN_RELAY_PORTS = (49152, 49152 + 2 * TURN_ALLOCATIONS - 1)
"""UDP ports that coturn relays on: one for each allocation, and the neighbour that EVEN-PORT reserves (RFC 8656 section 7.2).
They are not opened to the world: Meet answers from inside."""

REINJECTION_PORT = 13025
"""Amavis hands mail back to Postfix here, inside the pod; trusted by address, so never a Service port."""
AMAVIS_INBOUND_PORT = 13024
AMAVIS_ORIGINATING_PORT = 13026


def daemons(settings: Settings) -> tuple[Daemon, ...]:
    """What runs in this stack, in the order in which the data flows."""
    return tuple(_daemons(settings))


def _daemons(settings: Settings) -> Iterator[Daemon]:
    if settings.external.database is None:
        yield MARIADB
    if settings.external.redis is None:
        yield REDIS
    if settings.features.files and settings.external.s3 is None:
        yield MINIO
    yield from (SEED, WEBAPP, HORIZON, SCHEDULER, IMAP, POSTFIX, ROUNDCUBE, ROUNDCUBE_MIGRATE)
    if settings.features.office:
        yield COLLABORA
    if settings.features.meet:
        yield MEET
        if settings.features.turn:
            yield TURN
    yield PROXY
    if settings.monitoring.enabled:
        yield from (PROMETHEUS, ALERTMANAGER, LOGS, VECTOR, BLACKBOX)
