"""Data engines, as far as they are ours."""

from __future__ import annotations

from components.composition import Composition
from components.mariadb import Mariadb, MariadbArgs
from components.minio import Minio, MinioArgs
from components.redis import Redis, RedisArgs
from model import budget


def data(stack: Composition) -> None:
    """MariaDB, Redis and MinIO, where nobody else runs them."""
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
    if settings.features.files and settings.external.s3 is None:
        minio = MinioArgs(
            build=stack.build("minio"),
            volume=settings.storage.files,
            password=secret("minioPassword"),
        )
        Minio("minio", stack.site, minio, stack.child())
