"""Data engines, as far as they are ours."""

from __future__ import annotations

from components.backup import BackupDatabase, RestoreDatabase, RestoreFiles
from components.composition import Composition
from components.drill import DrillDatabase
from components.engines import DatabasesArgs
from components.mariadb import Mariadb, MariadbArgs
from components.minio import Minio, MinioArgs
from components.redis import Redis, RedisArgs
from model import budget, images
from model.catalogue import changes


def data(stack: Composition) -> Mariadb | None:
    """MariaDB, Redis and MinIO, where nobody else runs them; dumps of the databases, whoever does. Returns MariaDB,
    which is yet to be started."""
    settings, secret = stack.settings, stack.secret
    database = None
    if settings.external.database is None:
        mariadb = MariadbArgs(
            build=stack.build("mariadb", images.database(settings)),
            release=settings.mariadb.release,
            goes_back=settings.acknowledged(changes.DATABASE_GOES_BACK.id, changes.DATABASE_GOES_BACK.path),
            volume=settings.storage.database,
            max_connections=budget.database_connections(settings),
            root_password=secret("databaseRootPassword"),
            webapp_password=secret("databasePassword"),
            roundcube_password=secret("roundcubeDatabasePassword"),
            legacy_password=secret("legacyDatabasePassword"),
        )
        database = Mariadb("mariadb", stack.site, mariadb, stack.child())
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
        reached = stack.databases("backup-database")
        databases = DatabasesArgs(
            keeper=keeper, build=reached.build, host=reached.host, passwords=reached.passwords
        )
        BackupDatabase("backup-database", stack.site, databases, stack.child())
        RestoreDatabase("restore-database", stack.site, databases, stack.child())
        if settings.backup and settings.backup.drills:
            DrillDatabase("drill-database", stack.site, databases, stack.child())
    return database
