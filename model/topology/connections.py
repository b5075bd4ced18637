"""Which daemons talk to which, and why: a connection that is not written here is closed in the cluster too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from model.settings import Settings
from model.topology import outside
from model.topology.addresses import meet_media_ports
from model.topology.daemons import (
    ALERTMANAGER,
    AMAVIS,
    BACKUP_DATABASE,
    BACKUP_FILES,
    BACKUP_MAIL,
    BACKUP_OBJECTS,
    BEFORE_MIGRATION,
    BLACKBOX,
    COLLABORA,
    DRILL_DATABASE,
    DRILL_MAIL,
    HORIZON,
    IMAP,
    KEEP_DUMP,
    LOGS,
    MARIADB,
    MEET,
    MINIO,
    MOVE_FILES,
    POSTFIX,
    POSTFIX_EXPORTER,
    PROMETHEUS,
    PROXY,
    REDIS,
    REHEARSAL,
    REPORT_READER,
    RESTORE_DATABASE,
    RESTORE_DUMP,
    RESTORE_FILES,
    RESTORE_MAIL,
    ROUND_TRIP,
    ROUNDCUBE,
    ROUNDCUBE_MIGRATE,
    SCHEDULER,
    SEED,
    TURN,
    UNBOUND,
    VECTOR,
    VERSITYGW,
    WEBAPP,
    Daemon,
    Sidecar,
    daemons,
    sidecars,
)
from model.topology.outside import Outside


@dataclass(frozen=True)
class Connection:
    """An allowed connection. `ports` are port names of the server; empty means all of them."""

    client: Daemon
    server: Daemon | Outside
    ports: tuple[str, ...]
    why: str
    public: bool = False
    """Whether the client reaches the server as the world does, at its public address."""


@dataclass(frozen=True)
class _Row:
    """A connection as the tables below write it: either end may be a sidecar."""

    client: Daemon | Sidecar
    server: Daemon | Sidecar | Outside
    ports: tuple[str, ...]
    why: str
    public: bool = False


def database_host(settings: Settings) -> str:
    """Host of MariaDB as daemons write it; the port is 3306 everywhere upstream."""
    return settings.external.database.host if settings.external.database else MARIADB.name


def redis_host(settings: Settings) -> str:
    """Host of Redis as daemons write it; the port is 6379 everywhere upstream."""
    return settings.external.redis.host if settings.external.redis else REDIS.name


NAMES = "names"
"""Why the cluster's DNS is asked."""
_BY_ADDRESS = (TURN,)
"""Clients that are told the addresses of their servers."""
_BY_NAME_ALONE = (REHEARSAL,)
"""Clients that look their servers up and connect to none."""


def connections(settings: Settings) -> tuple[Connection, ...]:
    """Connections between what really runs. A sidecar has the address of its pod, so its connections are the pod's.

    Whoever opens a connection asks for the server's name first.
    """
    pods: dict[Daemon | Sidecar, Daemon] = {}
    for daemon in daemons(settings):
        pods |= dict.fromkeys((daemon, *sidecars(settings, daemon)), daemon)
    found: dict[tuple[Daemon, Daemon | Outside, tuple[str, ...]], Connection] = {}
    for row in _connections(settings):
        client = pods.get(row.client)
        server = row.server if isinstance(row.server, Outside) else pods.get(row.server)
        if client is None or server is None or (isinstance(server, Outside) and not server.somewhere):
            continue
        # Two containers of a pod may both need a connection, for reasons of their own.
        same = found.get((client, server, row.ports))
        why = f"{same.why}; {row.why}" if same else row.why
        found[client, server, row.ports] = Connection(client, server, row.ports, why, row.public)
    clients = (*(each.client for each in found.values()), *_BY_NAME_ALONE)
    asking = dict.fromkeys(client for client in clients if client not in _BY_ADDRESS)
    names = [Connection(each, server, (), NAMES) for each in asking for server in outside.dns(settings, each)]
    return (*found.values(), *names)


def readers(settings: Settings) -> Mapping[Daemon, Outside]:
    """Daemon -> the cluster's Prometheus, on the ports where that may read this daemon's numbers; none where it is the stack's own."""
    reader = settings.monitoring.reader
    if reader is None:
        return {}
    pods = outside.Pods(
        reader.namespace, tuple((key, (value,)) for key, value in sorted(reader.pods.items()))
    )
    places = {each: daemon for daemon in daemons(settings) for each in (daemon, *sidecars(settings, daemon))}
    return {
        places[server]: Outside("prometheus", (server.port(port),), (), pods)
        for server, port in scraped(settings)
    }


def scraped(settings: Settings) -> tuple[tuple[Daemon | Sidecar, str], ...]:
    """Whose numbers Prometheus reads, and on which port."""
    running: set[Daemon | Sidecar | Outside] = set(daemons(settings))
    running |= {sidecar for daemon in daemons(settings) for sidecar in sidecars(settings, daemon)}
    return tuple(
        (row.server, row.ports[0])
        for row in _connections(settings)
        if row.client is PROMETHEUS and not isinstance(row.server, Outside) and row.server in running
    )


@dataclass(frozen=True)
class _Engines:
    """Where data lie: our own daemons, or somebody else's."""

    database: Daemon | Outside
    redis: Daemon | Outside
    files: Daemon | Outside

    @classmethod
    def of(cls, settings: Settings) -> _Engines:
        """Ours, where the stack file names no others."""
        external = settings.external
        files = VERSITYGW if settings.files.served_by_gateway else MINIO
        database, redis, s3 = external.database, external.redis, external.s3
        return cls(
            outside.at("database", MARIADB.ports, database.cidr) if database else MARIADB,
            outside.at("redis", REDIS.ports, redis.cidr) if redis else REDIS,
            outside.files(s3) if s3 else files,
        )


def _connections(settings: Settings) -> Iterator[_Row]:
    engines = _Engines.of(settings)
    yield from _application_connections(settings, engines)
    yield from _mail_connections(settings, engines)
    yield from _web_connections(settings, engines)
    yield from _watch_connections(settings, engines)
    yield from _dump_connections(engines)
    yield from _backup_connections(settings, engines)


def _application_connections(settings: Settings, engines: _Engines) -> Iterator[_Row]:
    for client in (SEED, WEBAPP, HORIZON, SCHEDULER):
        yield _Row(client, engines.database, ("mysql",), "accounts")
        yield _Row(client, engines.redis, ("redis",), "job queue and cache")
    for client in (WEBAPP, HORIZON, SCHEDULER):
        yield _Row(client, IMAP, ("imap", "http"), "creates mailboxes and default calendars")
        yield _Row(client, POSTFIX, ("submission",), "system mail")
        if settings.features.files:
            yield _Row(client, engines.files, (), "files")
        if settings.features.meet:
            yield _Row(client, MEET, ("http",), "opens rooms")
    for store in (MINIO, VERSITYGW):
        yield _Row(MOVE_FILES, store, (), "copies files from one to the other")
    for client in (SEED, SCHEDULER, HORIZON):
        yield _Row(
            client,
            outside.web(settings),
            (),
            "address ranges of the regional registries, exchange rates, push",
        )


def _mail_connections(settings: Settings, engines: _Engines) -> Iterator[_Row]:
    yield _Row(IMAP, WEBAPP, ("http",), "saslauthd asks whether a password is right")
    yield _Row(POSTFIX, WEBAPP, ("http",), "passwords, policies, content filter")
    yield _Row(POSTFIX, engines.database, ("mysql",), "recipients and domains")
    yield _Row(POSTFIX, IMAP, ("lmtp",), "delivers")
    yield _Row(IMAP, POSTFIX, ("answers",), "vacation notes, redirects and invitations leave")
    yield _Row(POSTFIX, outside.mail(settings), (), "delivers to the world, or to the smarthost")
    yield _Row(UNBOUND, outside.names(settings), (), "which key a receiver's server must show")
    yield _Row(AMAVIS, engines.database, ("mysql",), "policies of receivers")
    yield _Row(AMAVIS, engines.redis, ("redis",), "what SpamAssassin has learnt")
    yield _Row(AMAVIS, outside.web(settings), (), "SpamAssassin and ClamAV updates")


def _web_connections(settings: Settings, engines: _Engines) -> Iterator[_Row]:
    if (solvers := outside.solvers(settings)) is not None:
        yield _Row(PROXY, solvers, (), "answers challenges of certificate authorities")
    yield _Row(ROUNDCUBE, engines.database, ("mysql",), "address books, settings")
    yield _Row(ROUNDCUBE_MIGRATE, engines.database, ("mysql",), "creates and updates tables")
    yield _Row(ROUNDCUBE, engines.redis, ("redis",), "sessions")
    yield _Row(ROUNDCUBE, IMAP, ("imap", "http", "sieve"), "mail, calendars, filters")
    yield _Row(ROUNDCUBE, POSTFIX, ("submission",), "sends")
    yield _Row(ROUNDCUBE, WEBAPP, ("http",), "login, files API")
    yield _Row(ROUNDCUBE, ROUNDCUBE, ("http",), "webmail talks to Chwala")
    yield _Row(ROUNDCUBE, COLLABORA, ("http",), "asks which documents it can open")
    yield _Row(COLLABORA, ROUNDCUBE, ("http",), "loads and saves documents (WOPI)")
    yield _Row(MEET, PROXY, ("https",), "tells the web application what happens in a room", public=True)
    yield _Row(TURN, MEET, tuple(p.name for p in meet_media_ports(settings)), "relays media", public=True)
    yield _Row(PROXY, IMAP, ("http", "imap"), "backend")
    yield _Row(PROXY, POSTFIX, ("submission",), "backend")
    for backend in (WEBAPP, ROUNDCUBE, COLLABORA, MEET, PROMETHEUS, ALERTMANAGER, LOGS):
        yield _Row(PROXY, backend, ("http",), "backend")


def _watch_connections(settings: Settings, engines: _Engines) -> Iterator[_Row]:
    for target in (WEBAPP, IMAP, LOGS, ALERTMANAGER, BLACKBOX):
        yield _Row(PROMETHEUS, target, ("http",), "metrics")
    for measured in (POSTFIX_EXPORTER, VECTOR, ROUND_TRIP, REPORT_READER):
        yield _Row(PROMETHEUS, measured, ("metrics",), "metrics")
    yield _Row(BLACKBOX, PROXY, ("https", "imaps", "submissions"), "probes")
    yield _Row(BLACKBOX, POSTFIX, ("smtp-in",), "probes")
    yield _Row(BLACKBOX, IMAP, ("sieve-tls",), "probes")
    yield _Row(BLACKBOX, engines.database, ("mysql",), "probes")
    yield _Row(BLACKBOX, engines.redis, ("redis",), "probes")
    yield _Row(
        ROUND_TRIP, PROXY, ("imaps", "submissions"), "sends itself a message and reads it", public=True
    )
    yield _Row(REPORT_READER, PROXY, ("imaps",), "reads reports about our mail", public=True)
    yield _Row(VECTOR, LOGS, ("http",), "ships logs")
    for api in outside.kubernetes_api(settings):
        yield _Row(VECTOR, api, (), "looks up pod names")
    yield _Row(ALERTMANAGER, outside.alerts(settings), (), "alert webhooks")
    somebody_else = outside.alert_mail(settings)
    if somebody_else:
        yield _Row(ALERTMANAGER, somebody_else, (), "alert mail")
    else:
        yield _Row(ALERTMANAGER, POSTFIX, ("submission",), "alert mail")


def _dump_connections(engines: _Engines) -> Iterator[_Row]:
    yield _Row(BEFORE_MIGRATION, engines.database, ("mysql",), "dumps before tables change")
    yield _Row(RESTORE_DUMP, engines.database, ("mysql",), "loads a dump")


def _backup_connections(settings: Settings, engines: _Engines) -> Iterator[_Row]:
    if settings.backup is None:
        return
    yield _Row(BACKUP_DATABASE, engines.database, ("mysql",), "dumps")
    yield _Row(RESTORE_DATABASE, engines.database, ("mysql",), "loads a dump")
    repository = outside.backups(settings.backup)
    for client in (BACKUP_DATABASE, BACKUP_MAIL, BACKUP_FILES, BACKUP_OBJECTS, KEEP_DUMP):
        yield _Row(client, repository, (), "writes backups")
    for client in (RESTORE_DATABASE, RESTORE_MAIL, RESTORE_FILES, DRILL_DATABASE, DRILL_MAIL):
        yield _Row(client, repository, (), "reads backups")
