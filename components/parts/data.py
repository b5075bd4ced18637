"""Data engines, as far as they are ours."""

from __future__ import annotations

from components.backup import BackupDatabase, DatabasesArgs, RestoreDatabase, RestoreFiles
from components.composition import Composition
from components.mariadb import Mariadb, MariadbArgs
from components.minio import Minio, MinioArgs
from components.redis import Redis, RedisArgs
from model import budget, topology
from model.accounts import ROUNDCUBE_DATABASE, WEBAPP_DATABASE


def data(stack: Composition) -> None:
    """MariaDB, Redis and MinIO, where nobody else runs them; dumps of the databases, whoever does."""
    settings, secret = stack.settings, stack.secret
    if settings.external.database is None:
        mariadb = MariadbArgs(
            build=stack.build("mariadb"),
            volume=settings.storage.database,
            max_connections=budget.database_connections(settings),
            root_password=secret("databaseRootPassword"),
            webapp_password=secret("databasePassword"),
            roundcube_password=secret("roundcubeDatabasePassword"),
            legacy_password=secret("legacyDatabasePassword"),
        )
        Mariadb("mariadb", stack.site, mariadb, stack.child())
    if settings.external.redis is None:
        redis = RedisArgs(
            build=stack.build("redis"),
            volume=settings.storage.redis,
            password=secret("redisPassword"),
        )
        Redis("redis", stack.site, redis, stack.child())
    if settings.own_files:
        minio = MinioArgs(
            build=stack.build("minio"),
            volume=settings.storage.files,
            password=secret("minioPassword"),
            keeper=stack.keeper(),
        )
        drive = Minio("minio", stack.site, minio, stack.child())
        if minio.keeper:
            RestoreFiles("restore-files", stack.site, minio.keeper, drive.data, stack.child())
    keeper = stack.keeper()
    if keeper is not None:
        databases = DatabasesArgs(
            keeper=keeper,
            build=stack.build("backup-database", "mariadb"),
            host=topology.database_host(settings),
            passwords={
                WEBAPP_DATABASE: secret("databasePassword"),
                ROUNDCUBE_DATABASE: secret("roundcubeDatabasePassword"),
            },
        )
        BackupDatabase("backup-database", stack.site, databases, stack.child())
        RestoreDatabase("restore-database", stack.site, databases, stack.child())
