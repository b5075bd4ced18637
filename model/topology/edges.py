"""Which daemons talk to which, and why: an edge that is not written here is closed in the cluster too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.settings import External, Settings
from model.topology.addresses import meet_media_ports
from model.topology.daemons import (
    ALERTMANAGER,
    BLACKBOX,
    COLLABORA,
    HORIZON,
    IMAP,
    LOGS,
    MARIADB,
    MEET,
    MINIO,
    POSTFIX,
    PROMETHEUS,
    PROXY,
    REDIS,
    ROUNDCUBE,
    ROUNDCUBE_MIGRATE,
    SCHEDULER,
    SEED,
    TURN,
    VECTOR,
    WEBAPP,
    Daemon,
    Port,
    daemons,
)


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
