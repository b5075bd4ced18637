"""Daemons and the ports that they listen on. Facts: ports of docs/reference/upstream.md."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
class Resolver:
    """Where a pod asks for names, if not at the cluster's DNS (Kubernetes: dnsPolicy, dnsConfig)."""

    policy: Literal["Default", "None"]
    """Default asks as the node does; None asks `nameservers` alone."""
    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[tuple[str, str | None], ...] = ()
    """resolv.conf(5)."""

    def __post_init__(self) -> None:
        if self.policy == "None" and not self.nameservers:
            raise ValueError("a pod that asks neither the cluster nor its node needs name servers")

    @property
    def beside(self) -> bool:
        """Whether a container of the pod itself answers, which asks others in turn."""
        return bool(self.nameservers) and all(
            ipaddress.ip_address(each).is_loopback for each in self.nameservers
        )


@dataclass(frozen=True)
class _Listener:
    """What has a name and listens on ports."""

    name: str
    ports: tuple[Port, ...] = ()

    def port(self, name: str) -> Port:
        """The port called `name`. Raises KeyError when there is none."""
        for port in self.ports:
            if port.name == name:
                return port
        raise KeyError(f"{self.name} has no port {name}")


@dataclass(frozen=True)
class Sidecar(_Listener):
    """A container in the pod of a daemon, with an image, a size, ports and connections of its own.

    It has no Service: what others reach of it is among the ports of its daemon. `resolver` is where the whole pod asks for
    names because of it.
    """

    resolver: Resolver | None = None


@dataclass(frozen=True)
class Daemon(_Listener):
    """One kind of pod and its Service of the same name. `ports` are those of the Service, whichever container listens."""

    sidecars: tuple[Sidecar, ...] = ()

    @property
    def own_ports(self) -> tuple[Port, ...]:
        """Ports on which the daemon's own container listens."""
        beside = {port for sidecar in self.sidecars for port in sidecar.ports}
        return tuple(port for port in self.ports if port not in beside)

    def at(self, port: str) -> str:
        """host:port as other daemons write it."""
        return f"{self.name}:{self.port(port).number}"

    def url(self, port: str, path: str = "") -> str:
        """http URL inside the cluster."""
        return f"http://{self.at(port)}{path}"


BACKUP_MAIL = Sidecar("backup-mail")
"""Reads the volumes of Cyrus, which no second pod may mount. Only with backups, as all that follow."""
BACKUP_FILES = Sidecar("backup-files")
BACKUP_OBJECTS = Sidecar("backup-objects")
"""Reads the volume of MinIO, or that of Versity Gateway."""
BACKUP_DATABASE = Daemon("backup-database")
"""Dumps the databases."""
RESTORE_DATABASE = Daemon("restore-database")
"""Loads a dump while nobody else uses the databases."""
RESTORE_MAIL = Daemon("restore-mail")
"""Writes the volumes of Cyrus while that is down."""
RESTORE_FILES = Daemon("restore-files")
"""Writes the volume of whichever of them serves, while that is down."""
DRILL_DATABASE = Daemon("drill-database")
"""Loads the newest dump into a server of its own."""
DRILL_MAIL = Daemon("drill-mail")
"""Brings the newest backup of the mail back into volumes of its own."""
KEEP_DUMP = Sidecar("keep-dump")
"""Writes the dump of before a migration to the repository. Only with backups."""
BEFORE_MIGRATION = Daemon("before-migration", sidecars=(KEEP_DUMP,))
"""Dumps the databases before images change their tables."""
RESTORE_DUMP = Daemon("restore-dump")
"""Loads such a dump while nobody else uses the databases."""
REHEARSAL = Daemon("rehearsal")
"""Jobs that try an image before its workload gets it. They ask names and talk to nobody."""
MARIADB = Daemon("mariadb", (Port("mysql", 3306),))
REDIS = Daemon("redis", (Port("redis", 6379),))
MINIO = Daemon("minio", (Port("s3", 9000),), sidecars=(BACKUP_FILES,))
VERSITYGW = Daemon("versitygw", (Port("s3", 7070),), sidecars=(BACKUP_OBJECTS,))
MOVE_FILES = Daemon("move-files")
"""Copies from MinIO to Versity Gateway. Only while files move."""
IMAP = Daemon(
    "imap",
    (
        Port("imap", 11143),
        Port("http", 11080),
        Port("lmtp", 11024),
        Port("sieve", 4190),
        Port("sieve-tls", 4191),  # our own listener: the image's 4190 takes passwords in the clear
    ),
    sidecars=(BACKUP_MAIL,),
)
AMAVIS = Sidecar("amavis", (Port("inbound", 13024), Port("originating", 13026)))
"""Never a pod of its own: it trusts the address of its client, and Postfix that of whoever hands mail back."""
POSTFIX_EXPORTER = Sidecar("postfix-exporter", (Port("metrics", 9154),))
"""Reads the queue of its pod. Only where there is monitoring."""
UNBOUND = Sidecar(
    "unbound",
    (Port("dns", 53), Port("dns-udp", 53, "UDP")),
    # The only one: what another one says without signatures would be believed when this is silent. The C library hands
    # the mark of validated answers on when it is told to (glibc, resolv.conf(5)).
    Resolver("None", ("127.0.0.1",), options=(("ndots", "5"), ("edns0", None), ("trust-ad", None))),
)
"""Validates what DNS says about receivers; listens on the pod's own loopback address. Only with DANE."""
POSTFIX = Daemon(
    "postfix",
    (
        Port("smtp-in", 10025),
        Port("submission", 10587),
        Port("answers", 10026),  # our own listener: what Cyrus sends in the name of people
        *POSTFIX_EXPORTER.ports,
    ),
    sidecars=(AMAVIS, POSTFIX_EXPORTER, UNBOUND),
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
ROUND_TRIP = Daemon("round-trip", (Port("metrics", 9025),))
"""Sends itself a message and reads it again, as a mail program does. Only where the stack file names its mailbox."""
REPORT_READER = Daemon("report-reader", (Port("metrics", 9026),))
"""Reads what the world reports about our mail. Only where the stack file names its mailbox."""

MEET_FIRST_MEDIA_PORT = 44444
"""First WebRTC port; worker n listens on this plus n (upstream: meet/server/server.js)."""
TURN_ALLOCATIONS = 600
"""Relays that coturn grants at the same time. A browser takes up to two (Firefox: one for each way to the server)."""
TURN_RELAY_PORTS = (49152, 49152 + 2 * TURN_ALLOCATIONS - 1)
"""UDP ports that coturn relays on: one for each allocation, and the neighbour that EVEN-PORT reserves (RFC 8656 section 7.2).
They are not opened to the world: Meet answers from inside."""

REINJECTION_PORT = 13025
"""Amavis hands mail back to Postfix here, inside the pod; trusted by address, so never a Service port."""


def daemons(settings: Settings) -> tuple[Daemon, ...]:
    """What runs in this stack, in the order in which the data flows."""
    return tuple(_daemons(settings))


def sidecars(settings: Settings, daemon: Daemon) -> tuple[Sidecar, ...]:
    """What runs beside `daemon`, in each of its pods."""
    left_out = {POSTFIX_EXPORTER: not settings.monitoring.enabled}
    left_out[UNBOUND] = not settings.mail.outbound.dane
    left_out |= dict.fromkeys((BACKUP_MAIL, BACKUP_FILES, BACKUP_OBJECTS, KEEP_DUMP), settings.backup is None)
    return tuple(sidecar for sidecar in daemon.sidecars if not left_out.get(sidecar, False))


def resolver(settings: Settings, daemon: Daemon) -> Resolver | None:
    """Where pods of `daemon` ask for names: as one of their sidecars needs it; None at the cluster's DNS.

    With a resolver in the pod, short names of Services mean what they mean elsewhere.
    """
    found = next((each.resolver for each in sidecars(settings, daemon) if each.resolver), None)
    if found is None or not found.beside or found.searches:
        return found
    services = f"svc.{settings.kubernetes.cluster_domain}"
    own = f"{settings.kubernetes.namespace}.{services}"
    return replace(found, searches=(own, services, settings.kubernetes.cluster_domain))


def _files(settings: Settings) -> Iterator[Daemon]:
    if settings.own_minio:
        yield MINIO
    if settings.own_gateway:
        yield VERSITYGW
    if settings.own_files and settings.files.moving:
        yield MOVE_FILES


def _daemons(settings: Settings) -> Iterator[Daemon]:
    if settings.external.database is None:
        yield MARIADB
    if settings.external.redis is None:
        yield REDIS
    yield from _files(settings)
    yield from (BEFORE_MIGRATION, RESTORE_DUMP)
    yield from (SEED, WEBAPP, HORIZON, SCHEDULER, IMAP, POSTFIX, ROUNDCUBE, ROUNDCUBE_MIGRATE)
    if settings.backup is not None:
        yield from (BACKUP_DATABASE, RESTORE_DATABASE, RESTORE_MAIL)
        if settings.own_files:
            yield RESTORE_FILES
        if settings.backup.drills:
            yield from (DRILL_DATABASE, DRILL_MAIL)
    if settings.features.office:
        yield COLLABORA
    if settings.features.meet:
        yield MEET
        if settings.features.turn:
            yield TURN
    yield from (PROXY, REHEARSAL)
    if settings.monitoring.enabled:
        if settings.monitoring.own:
            yield from (PROMETHEUS, ALERTMANAGER)
        yield from (LOGS, VECTOR, BLACKBOX)
        if settings.monitoring.trip is not None:
            yield ROUND_TRIP
        if settings.monitoring.report_reader is not None:
            yield REPORT_READER
