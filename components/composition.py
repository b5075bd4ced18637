"""What the parts of the composition share: the settings, the secrets, and the words to say where and how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pulumi

from components.containers import Build
from components.daemon import Site
from components.engines import Databases
from components.inputs import Database, OAuthClient, Queue
from components.keeper import Keeper, Repository, Schedule
from components.pods import ANYWHERE, Placement, Public, Replicas
from model import accounts, images, topology
from model.ingress import CONTROLLERS, Told
from model.names import Names
from model.settings import RestRepository, S3Repository, Settings
from model.sizing import size_of

Secrets = Callable[[str], pulumi.Output[str]]
"""Gives the secret of a flat key, tracked as such."""


@dataclass(frozen=True, kw_only=True)
class Composition:
    """One stack while it is put together. Components never see it: they get plain values from it."""

    settings: Settings
    secret: Secrets
    site: Site
    parent: pulumi.Resource
    overtaken: bool = False
    """Whether MariaDB finds data of an older release."""

    @property
    def names(self) -> Names:
        """Public names."""
        return Names.of(self.settings)

    def child(self) -> pulumi.ResourceOptions:
        """Options of a component of the stack."""
        return pulumi.ResourceOptions(parent=self.parent)

    def build(self, container: str, image: str | None = None) -> Build:
        """Image and size of a container; `image` where it has another name."""
        return Build(
            image=images.reference(self.settings.images, image or container),
            size=size_of(self.settings, container),
        )

    def inside_address(self, service: str) -> str:
        """First address of a public Service on the load balancer, before any NAT."""
        return topology.load_balancer_addresses(self.settings)[service][0]

    def edge(self) -> Placement:
        """Where public pods run: on the one edge node in single-node mode, anywhere in a cluster."""
        if not self.settings.single_node:
            return ANYWHERE
        node = topology.edge_node(self.settings)
        return Placement(nodes=(node,) if node else (), together=node is None)

    def public(self, daemon: topology.Daemon, placement: Placement | None = None) -> Public:
        """How the world reaches `daemon`; `placement` where its pods may not run everywhere."""
        return Public(
            placement=placement or self.edge(),
            edge=self.settings.single_node,
            host_ports=topology.host_ports(self.settings, daemon),
        )

    def spread(self, name: str) -> Replicas:
        """Replicas on different nodes where there are several."""
        number = self.settings.pods(name)
        return Replicas(number=number, placement=Placement(spread=number > 1))

    def database(self, name: str, password: str) -> Database:
        """A database and its account; `password` is the key of its secret."""
        return Database(
            host=topology.database_host(self.settings),
            port=topology.MARIADB.port("mysql").number,
            name=name,
            password=self.secret(password),
        )

    def webapp_database(self) -> Database:
        """Accounts and domains."""
        return self.database(accounts.WEBAPP_DATABASE, "databasePassword")

    def webmail_database(self) -> Database:
        """Address books, settings and second factors."""
        return self.database(accounts.ROUNDCUBE_DATABASE, "roundcubeDatabasePassword")

    def databases(self, container: str) -> Databases:
        """All databases, for a container that dumps or loads them."""
        return Databases(
            build=self.build(container, images.database(self.settings)),
            host=topology.database_host(self.settings),
            passwords={
                accounts.WEBAPP_DATABASE: self.secret("databasePassword"),
                accounts.ROUNDCUBE_DATABASE: self.secret("roundcubeDatabasePassword"),
            },
        )

    def redis(self) -> Queue:
        """Redis, ours or somebody else's."""
        return Queue(host=topology.redis_host(self.settings), password=self.secret("redisPassword"))

    def keeper(self) -> Keeper | None:
        """What writes backups and reads them, where there are any."""
        backup = self.settings.backup
        if backup is None:
            return None
        repository = backup.repository
        if isinstance(repository, S3Repository):
            keys = {"AWS_ACCESS_KEY_ID": "backupAccessKey", "AWS_SECRET_ACCESS_KEY": "backupSecretKey"}
        else:
            keys = {"RESTIC_REST_PASSWORD": "backupPassword"}
        credentials: dict[str, pulumi.Input[str]] = {name: self.secret(key) for name, key in keys.items()}
        if isinstance(repository, RestRepository):
            credentials["RESTIC_REST_USERNAME"] = repository.username
        hours, minutes = map(int, backup.at.split(":"))
        names = [
            f"{what}-{engine}" for what in ("backup", "restore") for engine in ("mail", "files", "database")
        ]
        names += ["backup-objects", "drill-mail", "drill-database", topology.KEEP_DUMP.name]
        return Keeper(
            builds={name: self.build(name, "restic") for name in names},
            repository=Repository(
                location=repository.location,
                authorities=repository.authorities,
                region=repository.region if isinstance(repository, S3Repository) else None,
                credentials=credentials | {"RESTIC_PASSWORD": self.secret("backupKey")},
            ),
            schedule=Schedule(
                first=60 * hours + minutes, every=60 * backup.every, weekly=backup.drill == "weekly"
            ),
        )

    def told(self) -> Told | None:
        """What the Ingress controller is told about the proxy, where there is one."""
        ingress = self.settings.network.ingress
        if ingress is None:
            return None
        namespace, body = self.settings.kubernetes.namespace, self.settings.mail.web_body_limit
        return CONTROLLERS[ingress.controller].told(topology.PROXY.name, namespace, body)

    def webmail_client(self) -> OAuthClient:
        """The webmail as a client of the web application's login."""
        return OAuthClient(id=self.secret("webmailClientId"), secret=self.secret("webmailClientSecret"))
