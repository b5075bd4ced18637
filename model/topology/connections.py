"""Which daemons talk to which, and why: a connection that is not written here is closed in the cluster too."""

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
from model.topology.sending import smarthost


@dataclass(frozen=True)
class Outside:
    """A peer that is no pod of ours: who, on which ports, and optionally in which networks."""

    name: str
    ports: tuple[Port, ...]
    cidrs: tuple[str, ...] = ()
    pod: bool = False
    """Whether it may be a pod of another namespace, if no networks are given."""


@dataclass(frozen=True)
class Connection:
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


def connections(settings: Settings) -> tuple[Connection, ...]:
    """Connections between what really runs."""
    running = set(daemons(settings))
    return tuple(
        connection
        for connection in _connections(settings)
        if connection.client in running
        and (isinstance(connection.server, Outside) or connection.server in running)
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


def _connections(settings: Settings) -> Iterator[Connection]:
    engines = _Engines.of(settings.external)
    yield from _application_connections(settings, engines)
    yield from _mail_connections(settings, engines)
    yield from _web_connections(settings, engines)
    yield from _watch_connections(engines)


def _application_connections(settings: Settings, engines: _Engines) -> Iterator[Connection]:
    for client in (SEED, WEBAPP, HORIZON, SCHEDULER):
        yield Connection(client, engines.database, ("mysql",), "accounts")
        yield Connection(client, engines.redis, ("redis",), "job queue and cache")
    for client in (WEBAPP, HORIZON, SCHEDULER):
        yield Connection(client, IMAP, ("imap", "http"), "creates mailboxes and default calendars")
        yield Connection(client, POSTFIX, ("submission",), "system mail")
        if settings.features.files:
            yield Connection(client, engines.files, (), "files")
        if settings.features.meet:
            yield Connection(client, MEET, ("http",), "opens rooms")
    for client in (SEED, SCHEDULER, HORIZON):
        yield Connection(client, WEB, (), "address ranges of the regional registries, exchange rates, push")


def _mail_connections(settings: Settings, engines: _Engines) -> Iterator[Connection]:
    yield Connection(IMAP, WEBAPP, ("http",), "saslauthd asks whether a password is right")
    yield Connection(POSTFIX, WEBAPP, ("http",), "passwords, policies, content filter")
    yield Connection(POSTFIX, engines.database, ("mysql",), "recipients and domains")
    yield Connection(POSTFIX, IMAP, ("lmtp",), "delivers")
    relay = smarthost(settings)
    if relay:
        yield Connection(POSTFIX, Outside("relay", (Port("relay", relay.port),), pod=True), (), "smarthost")
    else:
        yield Connection(POSTFIX, SMTP, (), "delivers to the world")
    yield Connection(POSTFIX, WEB, (), "SpamAssassin and ClamAV updates")


def _web_connections(settings: Settings, engines: _Engines) -> Iterator[Connection]:
    yield Connection(ROUNDCUBE, engines.database, ("mysql",), "address books, settings")
    yield Connection(ROUNDCUBE_MIGRATE, engines.database, ("mysql",), "creates and updates tables")
    yield Connection(ROUNDCUBE, engines.redis, ("redis",), "sessions")
    yield Connection(ROUNDCUBE, IMAP, ("imap", "http", "sieve"), "mail, calendars, filters")
    yield Connection(ROUNDCUBE, POSTFIX, ("submission",), "sends")
    yield Connection(ROUNDCUBE, WEBAPP, ("http",), "login, files API")
    yield Connection(ROUNDCUBE, ROUNDCUBE, ("http",), "webmail talks to Chwala")
    yield Connection(ROUNDCUBE, COLLABORA, ("http",), "asks which documents it can open")
    yield Connection(COLLABORA, ROUNDCUBE, ("http",), "loads and saves documents (WOPI)")
    yield Connection(MEET, PROXY, ("https",), "tells the web application what happens in a room")
    yield Connection(TURN, MEET, tuple(p.name for p in meet_media_ports(settings)), "relays media")
    yield Connection(PROXY, IMAP, ("http", "imap"), "backend")
    yield Connection(PROXY, POSTFIX, ("submission",), "backend")
    for backend in (WEBAPP, ROUNDCUBE, COLLABORA, MEET, PROMETHEUS, ALERTMANAGER, LOGS):
        yield Connection(PROXY, backend, ("http",), "backend")


def _watch_connections(engines: _Engines) -> Iterator[Connection]:
    for target in (WEBAPP, IMAP, LOGS, ALERTMANAGER, BLACKBOX):
        yield Connection(PROMETHEUS, target, ("http",), "metrics")
    for target in (POSTFIX, VECTOR):
        yield Connection(PROMETHEUS, target, ("metrics",), "metrics")
    yield Connection(BLACKBOX, PROXY, ("https", "imaps", "submissions"), "probes")
    yield Connection(BLACKBOX, POSTFIX, ("smtp-in",), "probes")
    yield Connection(BLACKBOX, IMAP, ("sieve-tls",), "probes")
    yield Connection(BLACKBOX, engines.database, ("mysql",), "probes")
    yield Connection(BLACKBOX, engines.redis, ("redis",), "probes")
    yield Connection(VECTOR, LOGS, ("http",), "ships logs")
    yield Connection(VECTOR, KUBERNETES_API, (), "looks up pod names")
    yield Connection(ALERTMANAGER, WEB, (), "alert webhooks")
    yield Connection(ALERTMANAGER, POSTFIX, ("submission",), "alert mail")
