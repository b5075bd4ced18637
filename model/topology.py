"""Daemons, their ports, and which of them talk to which.

Services, env addresses, NetworkPolicies, public ports, Prometheus targets and the tests are all derived from
these tables, so a connection that is not written here does not work in the cluster either.
Facts: ports of docs/reference/upstream.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from model.settings import External, Settings

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
TURN_RELAY_PORTS = (49160, 49200)
"""UDP ports that coturn relays on. They are not opened to the world: Meet answers from inside."""

REINJECTION_PORT = 13025
"""Amavis hands mail back to Postfix here, inside the pod; trusted by address, so never a Service port."""
AMAVIS_INBOUND_PORT = 13024
AMAVIS_ORIGINATING_PORT = 13026


@dataclass(frozen=True)
class PublicPort:
    """A port of the outside world: which address claims it, and which port of which daemon answers."""

    claim: Literal["proxy", "smtp", "turn", "sieve", "meet"]
    number: int
    daemon: Daemon
    target: Port


@dataclass(frozen=True)
class Outside:
    """A peer that is no pod of ours: who, on which ports, and optionally in which networks."""

    name: str
    ports: tuple[Port, ...]
    cidrs: tuple[str, ...] = ()
    pod: bool = False
    """Whether it may be a pod of another namespace, if no networks are given."""


@dataclass(frozen=True)
class Edge:
    """An allowed connection. `ports` are port names of the server; empty means all of them."""

    client: Daemon
    server: Daemon | Outside
    ports: tuple[str, ...]
    why: str


def meet_media_ports(settings: Settings) -> tuple[Port, ...]:
    """WebRTC ports of Meet, UDP and TCP, one pair per worker."""
    numbers = range(MEET_FIRST_MEDIA_PORT, MEET_FIRST_MEDIA_PORT + settings.meet.workers)
    return tuple(
        port
        for worker, number in enumerate(numbers)
        for port in (Port(f"media{worker}-udp", number, "UDP"), Port(f"media{worker}", number))
    )


def public_ports(settings: Settings) -> tuple[PublicPort, ...]:
    """Every port that the stack opens to the world."""
    web = settings.network.ingress is None
    proxy = {"https": 443, "redirect": 80} if web else {}
    proxy |= {"imap-starttls": 143, "imaps": 993, "submit-starttls": 587, "submissions": 465}
    ports = [PublicPort("proxy", number, PROXY, PROXY.port(name)) for name, number in proxy.items()]
    ports.append(PublicPort("smtp", 25, POSTFIX, POSTFIX.port("smtp-in")))
    ports.append(PublicPort("sieve", 4190, IMAP, IMAP.port("sieve-tls")))
    if settings.features.turn and settings.features.meet:
        ports += [PublicPort("turn", port.number, TURN, port) for port in TURN.ports]
    if settings.features.meet:
        ports += [PublicPort("meet", port.number, MEET, port) for port in meet_media_ports(settings)]
    return tuple(ports)


def claims(settings: Settings) -> tuple[str, ...]:
    """Addresses that cluster mode needs, by name."""
    return tuple(dict.fromkeys(port.claim for port in public_ports(settings)))


def claimed_addresses(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Claim -> addresses that carry it. One address in single-node mode, dedicated ones in cluster mode."""
    given = settings.network.addresses
    if settings.single_node:
        shared = (str(given.all),) if given.all else ()
        return dict.fromkeys(claims(settings), shared)
    found = {}
    for claim in claims(settings):
        value = getattr(given, claim)
        found[claim] = tuple(map(str, value)) if isinstance(value, tuple) else (str(value),) if value else ()
    return found


def public_addresses(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Claim -> addresses that the world uses: the claimed ones after NAT."""
    nat = {str(inside): str(outside) for inside, outside in settings.network.public.items()}
    return {
        claim: tuple(nat.get(address, address) for address in addresses)
        for claim, addresses in claimed_addresses(settings).items()
    }


def egress_addresses(settings: Settings) -> tuple[str, ...]:
    """Addresses that receivers see as the source of our mail; none when a relay sends for us."""
    egress = settings.network.egress
    if egress is None or egress.mode == "relay":
        return ()
    if egress.mode == "gateway":
        return tuple(map(str, egress.addresses))
    return tuple(str(address) for addresses in egress.nodes.values() for address in addresses)


def edge_node(settings: Settings) -> str | None:
    """The one node of all public pods, if single-node mode knows its name."""
    if not settings.single_node:
        return None
    egress = settings.network.egress
    if settings.network.edge_node or egress is None or egress.mode != "nodes":
        return settings.network.edge_node
    return next(iter(egress.nodes))


def host_ports(settings: Settings, daemon: Daemon) -> dict[str, int]:
    """Port name -> port on the node, where the stack opens node ports instead of using a load balancer."""
    if settings.network.load_balancer != "hostPort":
        return {}
    return {port.target.name: port.number for port in public_ports(settings) if port.daemon == daemon}


def database_host(settings: Settings) -> str:
    """Host of MariaDB as daemons write it; the port is 3306 everywhere upstream."""
    return settings.external.database.host if settings.external.database else MARIADB.name


def redis_host(settings: Settings) -> str:
    """Host of Redis as daemons write it; the port is 6379 everywhere upstream."""
    return settings.external.redis.host if settings.external.redis else REDIS.name


_HTTP = (Port("http", 80), Port("https", 443))
WEB = Outside("web", _HTTP)
SMTP = Outside("smtp", (Port("smtp", 25),))
KUBERNETES_API = Outside("kubernetes", (Port("api", 443), Port("api-direct", 6443)))


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


def edges(settings: Settings) -> tuple[Edge, ...]:
    """Connections between what really runs."""
    running = set(daemons(settings))
    return tuple(
        edge
        for edge in _edges(settings)
        if edge.client in running and (isinstance(edge.server, Outside) or edge.server in running)
    )


@dataclass(frozen=True)
class _Engines:
    """Where data lie: our own daemons, or somebody else's."""

    database: Daemon | Outside
    redis: Daemon | Outside
    files: Daemon | Outside

    @classmethod
    def of(cls, external: External) -> _Engines:
        """Ours, where the stack file names no others."""
        database, redis, s3 = external.database, external.redis, external.s3
        return cls(
            Outside("database", MARIADB.ports, (str(database.cidr),)) if database else MARIADB,
            Outside("redis", REDIS.ports, (str(redis.cidr),)) if redis else REDIS,
            Outside("s3", (Port("https", 443),), (str(s3.cidr),)) if s3 else MINIO,
        )


def _edges(settings: Settings) -> Iterator[Edge]:
    engines = _Engines.of(settings.external)
    yield from _application_edges(settings, engines)
    yield from _mail_edges(settings, engines)
    yield from _web_edges(settings, engines)
    yield from _watch_edges(engines)


def _application_edges(settings: Settings, engines: _Engines) -> Iterator[Edge]:
    for client in (SEED, WEBAPP, HORIZON, SCHEDULER):
        yield Edge(client, engines.database, ("mysql",), "accounts")
        yield Edge(client, engines.redis, ("redis",), "job queue and cache")
    for client in (WEBAPP, HORIZON, SCHEDULER):
        yield Edge(client, IMAP, ("imap", "http"), "creates mailboxes and default calendars")
        yield Edge(client, POSTFIX, ("submission",), "system mail")
        if settings.features.files:
            yield Edge(client, engines.files, (), "files")
        if settings.features.meet:
            yield Edge(client, MEET, ("http",), "opens rooms")
    for client in (SEED, SCHEDULER, HORIZON):
        yield Edge(client, WEB, (), "address ranges of the regional registries, exchange rates, push")


def _mail_edges(settings: Settings, engines: _Engines) -> Iterator[Edge]:
    yield Edge(IMAP, WEBAPP, ("http",), "saslauthd asks whether a password is right")
    yield Edge(POSTFIX, WEBAPP, ("http",), "passwords, policies, content filter")
    yield Edge(POSTFIX, engines.database, ("mysql",), "recipients and domains")
    yield Edge(POSTFIX, IMAP, ("lmtp",), "delivers")
    egress = settings.network.egress
    if egress is not None and egress.mode == "relay":
        yield Edge(POSTFIX, Outside("relay", (Port("relay", egress.port),), pod=True), (), "smarthost")
    else:
        yield Edge(POSTFIX, SMTP, (), "delivers to the world")
    yield Edge(POSTFIX, WEB, (), "SpamAssassin and ClamAV updates")


def _web_edges(settings: Settings, engines: _Engines) -> Iterator[Edge]:
    yield Edge(ROUNDCUBE, engines.database, ("mysql",), "address books, settings")
    yield Edge(ROUNDCUBE_MIGRATE, engines.database, ("mysql",), "creates and updates tables")
    yield Edge(ROUNDCUBE, engines.redis, ("redis",), "sessions")
    yield Edge(ROUNDCUBE, IMAP, ("imap", "http", "sieve"), "mail, calendars, filters")
    yield Edge(ROUNDCUBE, POSTFIX, ("submission",), "sends")
    yield Edge(ROUNDCUBE, WEBAPP, ("http",), "login, files API")
    yield Edge(ROUNDCUBE, ROUNDCUBE, ("http",), "webmail talks to Chwala")
    yield Edge(ROUNDCUBE, COLLABORA, ("http",), "asks which documents it can open")
    yield Edge(COLLABORA, ROUNDCUBE, ("http",), "loads and saves documents (WOPI)")
    yield Edge(MEET, PROXY, ("https",), "tells the web application what happens in a room")
    yield Edge(TURN, MEET, tuple(p.name for p in meet_media_ports(settings)), "relays media")
    yield Edge(PROXY, IMAP, ("http", "imap"), "backend")
    yield Edge(PROXY, POSTFIX, ("submission",), "backend")
    for backend in (WEBAPP, ROUNDCUBE, COLLABORA, MEET, PROMETHEUS, ALERTMANAGER, LOGS):
        yield Edge(PROXY, backend, ("http",), "backend")


def _watch_edges(engines: _Engines) -> Iterator[Edge]:
    for target in (WEBAPP, IMAP, LOGS, ALERTMANAGER, BLACKBOX):
        yield Edge(PROMETHEUS, target, ("http",), "metrics")
    for target in (POSTFIX, VECTOR):
        yield Edge(PROMETHEUS, target, ("metrics",), "metrics")
    yield Edge(BLACKBOX, PROXY, ("https", "imaps", "submissions"), "probes")
    yield Edge(BLACKBOX, POSTFIX, ("smtp-in",), "probes")
    yield Edge(BLACKBOX, IMAP, ("sieve-tls",), "probes")
    yield Edge(BLACKBOX, engines.database, ("mysql",), "probes")
    yield Edge(BLACKBOX, engines.redis, ("redis",), "probes")
    yield Edge(VECTOR, LOGS, ("http",), "ships logs")
    yield Edge(VECTOR, KUBERNETES_API, (), "looks up pod names")
    yield Edge(ALERTMANAGER, WEB, (), "alert webhooks")
    yield Edge(ALERTMANAGER, POSTFIX, ("submission",), "alert mail")
