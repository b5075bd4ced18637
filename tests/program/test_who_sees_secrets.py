"""Least privilege: which containers see which secret, in full, over every stack that the tests know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from model.secrets import NAMES
from tests.support.deploy import Deployment, _base64_forms
from tests.support.stacks import SHIPPED, VARIANTS, changed, deploy, deployment

pytestmark = pytest.mark.security

_APPLICATION = {
    "webapp/webapp",
    "horizon/horizon",
    "scheduler/scheduler",
    "seed/seed",
    "rehearsal/webapp",
    "rehearsal/horizon",
}
"""One code base with one configuration: each of its pods needs all of it, and is tried with all of it."""

_WEBMAIL = {"roundcube/roundcube", "roundcube-migrate/migrate", "rehearsal/roundcube"}

_KEEPERS = {
    "imap/backup-mail",
    "minio/backup-files",
    "versitygw/backup-objects",
    "backup-database/backup-database",
    "restore-mail/restore-mail",
    "restore-files/restore-files",
    "restore-database/restore-database",
    "before-migration/keep-dump",
    "drill-mail/drill-mail",
    "drill-database/drill-database",
}
"""Who writes backups and who reads them. None of them has a password of the databases."""

_DUMPS = {
    "backup-database/dump",
    "restore-database/load",
    "before-migration/before-migration",
    "restore-dump/restore-dump",
}
"""Who dumps the databases and who loads a dump. Neither has the key of the backups."""

_REHEARSED = {"rehearsal/postfix", "rehearsal/amavis"}
"""What tries the images of Postfix' pod with its own configuration."""

MAY_SEE: dict[str, set[str]] = {
    # The first administrator: made once, by the seed.
    "adminPassword": {"seed/seed"},
    **dict.fromkeys(
        (
            "appKey",
            "imapAdminPassword",
            "passportPrivateKey",
            "passportClientId",
            "passportClientSecret",
            "s3AccessKey",
            "s3SecretKey",
        ),
        _APPLICATION,
    ),
    "databasePassword": {
        *_APPLICATION,
        "mariadb/mariadb",
        "postfix/postfix",
        "postfix/amavis",
        *_REHEARSED,
        *_DUMPS,
    },
    "databaseRootPassword": {"mariadb/mariadb", "roundcube-migrate/migrate"},
    "legacyDatabasePassword": {"mariadb/mariadb"},
    # The application removes second factors of the webmail from its database.
    "roundcubeDatabasePassword": {*_APPLICATION, "mariadb/mariadb", *_WEBMAIL, *_DUMPS},
    # SpamAssassin keeps what it has learnt there.
    "redisPassword": {*_APPLICATION, "redis/redis", *_WEBMAIL, "postfix/amavis", "rehearsal/amavis"},
    "desKey": _WEBMAIL,
    "webmailClientId": {*_APPLICATION, "roundcube/roundcube", "rehearsal/roundcube"},
    "webmailClientSecret": {*_APPLICATION, "roundcube/roundcube", "rehearsal/roundcube"},
    "noreplyPassword": {*_APPLICATION, "alertmanager/alertmanager"},
    "alertsWebhook": {"alertmanager/alertmanager"},
    "alertsHeartbeat": {"alertmanager/alertmanager"},
    "alertsServerPassword": {"alertmanager/alertmanager"},
    "roundTripPassword": {"round-trip/round-trip"},
    "reportsPassword": {"report-reader/report-reader"},
    "minioPassword": {*_APPLICATION, "minio/minio", "move-files/move-files"},
    "filesPassword": {*_APPLICATION, "versitygw/versitygw", "move-files/move-files"},
    "meetServerToken": {*_APPLICATION, "meet/meet"},
    "meetWebhookToken": {*_APPLICATION, "meet/meet"},
    "turnSecret": {"coturn/coturn", "meet/meet"},
    **dict.fromkeys(("backupKey", "backupAccessKey", "backupSecretKey"), _KEEPERS),
    # The stack that keeps backups at a server of restic has its files in S3.
    "backupPassword": _KEEPERS
    - {"minio/backup-files", "versitygw/backup-objects", "restore-files/restore-files"},
    "relayPassword": {"postfix/postfix", "rehearsal/postfix"},
    "mxKey": {"postfix/postfix", "rehearsal/postfix"},
    "dkimKey": {"postfix/amavis", "rehearsal/amavis"},
}
"""Secret -> containers (daemon/container) that need it. Longer is worse: give each line its reason when it grows."""


def seen(program: Deployment) -> Iterator[tuple[str, str]]:
    """(key, container) for every secret that a container has in its environment or its files."""
    data = {each["metadata"]["name"]: each["stringData"] for each in program.of_kind("Secret")}
    for workload in program.workloads:
        volumes = {
            each["name"]: each["secret"] for each in workload.pod.get("volumes", ()) if "secret" in each
        }
        for container in workload.containers:
            shown = [
                data[each["secretRef"]["name"]]
                for each in container.get("envFrom", ())
                if "secretRef" in each
            ]
            shown += [_mounted(mount, volumes, data) for mount in container.get("volumeMounts", ())]
            text = json.dumps(shown)
            for key, value in program.sentinels.items():
                if any(form in text for form in (value, *_base64_forms(value))):
                    yield key, f"{workload.daemon}/{container['name']}"


def _mounted(mount: Any, volumes: Any, data: Any) -> Any:
    source = volumes.get(mount["name"])
    if source is None or source["secretName"] not in data:
        # Of certificates only cert-manager knows the key.
        return {}
    held = data[source["secretName"]]
    return {mount["subPath"]: held[mount["subPath"]]} if mount.get("subPath") in held else held


def programs() -> Iterator[Deployment]:
    for name in (*SHIPPED, *VARIANTS):
        yield deployment(name)
    server = {"host": "smtp.example.com", "sender": "alerts@example.com", "username": "alerts"}
    alerts = {"webhook": "secret", "heartbeat": "secret", "server": server}
    yield deploy(changed("cluster", {"monitoring": {"alerts": alerts}}))


def test_each_secret_is_seen_by_those_who_need_it_and_nobody_else() -> None:
    found: dict[str, set[str]] = {}
    for program in programs():
        for key, container in seen(program):
            found.setdefault("dkimKey" if key.startswith("dkimKey-") else key, set()).add(container)
    assert found == MAY_SEE


def test_every_secret_is_in_the_table_or_seen_by_no_container() -> None:
    assert NAMES - MAY_SEE.keys() == {
        "contentSalt",
        "monitoringPassword",
        "mxNextKey",
        "cloudflareApiToken",
        "acmeCloudflareToken",
    }
