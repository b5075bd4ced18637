"""Data engines, as far as they are ours."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.backup import BackupDatabase, RestoreDatabase, RestoreFiles
from components.composition import Composition
from components.drill import DrillDatabase
from components.engines import DatabasesArgs
from components.mariadb import Mariadb, MariadbArgs
from components.minio import Minio, MinioArgs
from components.move_files import MoveFiles, MoveFilesArgs
from components.redis import Redis, RedisArgs
from components.versitygw import Versitygw, VersitygwArgs
from model import budget, images
from model.catalogue import engines


@dataclass(frozen=True)
class Kept:
    """What pages have to wait for."""

    database: Mariadb | None
    """MariaDB, where nobody else runs it; it is yet to be started."""
    moved: pulumi.Resource | None
    """What copies people's files to another server: done when all are there. None unless this update leads pages to it."""


def data(stack: Composition) -> Kept:
    """MariaDB, Redis and the server of files, where nobody else runs them; dumps of the databases, whoever does."""
    settings, secret = stack.settings, stack.secret
    database = None
    if settings.external.database is None:
        mariadb = MariadbArgs(
            build=stack.build("mariadb", images.database(settings)),
            release=settings.database_release,
            goes_back=settings.acknowledged(engines.DATABASE_GOES_BACK.id, engines.DATABASE_GOES_BACK.path),
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
    moved = _files(stack)
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
    return Kept(database, moved)


def _files(stack: Composition) -> pulumi.Resource | None:
    settings, secret, keeper = stack.settings, stack.secret, stack.keeper()
    drives: dict[str, pulumi.Output[str]] = {}
    if settings.own_minio:
        minio = MinioArgs(
            build=stack.build("minio"),
            volume=settings.storage.files,
            password=secret("minioPassword"),
            keeper=keeper,
        )
        drives["files"] = Minio("minio", stack.site, minio, stack.child()).data
    if settings.own_gateway:
        gateway = VersitygwArgs(
            build=stack.build("versitygw"),
            volume=settings.storage.files,
            password=secret("filesPassword"),
            keeper=keeper,
        )
        drives["objects"] = Versitygw("versitygw", stack.site, gateway, stack.child()).data
    if keeper and drives:
        engine = settings.files.snapshots
        RestoreFiles("restore-files", stack.site, keeper, drives[engine], stack.child(), engine=engine)
    if not settings.own_files or not settings.files.moving:
        return None
    moving = MoveFilesArgs(
        build=stack.build("move-files", "rclone"),
        stage=settings.files.engine,
        old_password=secret("minioPassword"),
        new_password=secret("filesPassword"),
    )
    done = MoveFiles("move-files", stack.site, moving, stack.child()).done
    return done if settings.files.served_by_gateway else None
