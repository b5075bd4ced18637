"""Backups: what reads the data and writes to the repository, and what brings them back.

Whoever holds the key of the repository holds no password of the databases, and the other way round: one container dumps
or loads, another one writes or reads. Restores are CronJobs that wait for `./kolab backup restore`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, from_claim
from components.daemon import DaemonComponent, Site
from components.keeper import READ_ONLY, WORK, Keeper, work
from components.pods import Pod
from model import topology

_DUMP = f"{WORK}/dump"
_SPOOL, _STATE = "/var/spool/imap", "/var/lib/imap"
_MARIADB_UID = 27


@dataclass(frozen=True, kw_only=True)
class DatabasesArgs:
    """Inputs of BackupDatabase and RestoreDatabase. `passwords` are those of the databases, by their names."""

    keeper: Keeper
    build: Build
    host: str
    passwords: Mapping[str, pulumi.Input[str]]

    def speaker(self, daemon: DaemonComponent, script: str) -> Container:
        """The container that speaks to the databases and knows nothing of the repository."""
        variables = {f"KOLAB_PASSWORD_{name}": password for name, password in self.passwords.items()}
        return Container(
            name=script.removesuffix(".sh"),
            build=self.build,
            privileges=Privileges(uid=_MARIADB_UID, read_only_root=True),
            command=entry.command(script, _DUMP, *self.passwords),
            env={"DB_HOST": self.host},
            secrets=[daemon.secret("databases", variables)],
            mounts=[
                daemon.scripts("backup", role="databases"),
                work(),
            ],
        )


class BackupDatabase(DaemonComponent):
    """Dumps the databases on schedule. Before the mail: no account of the dump is younger than the mailboxes."""

    def __init__(
        self, name: str, site: Site, args: DatabasesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.BACKUP_DATABASE, name, site, opts)
        keeper = args.keeper
        command = entry.command("databases.sh", interpreter="/bin/sh")
        kept = keeper.container(self, "backup-database", command, [])
        pod = Pod(init=[args.speaker(self, "dump.sh")], containers=[kept], fs_group=_MARIADB_UID)
        self.cron_job(pod, schedule=keeper.schedule.cron)
        self.register_outputs({})


class RestoreDatabase(DaemonComponent):
    """Loads a dump, when somebody asks for it."""

    def __init__(
        self, name: str, site: Site, args: DatabasesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.RESTORE_DATABASE, name, site, opts)
        command = entry.command("restore.sh", "database", interpreter="/bin/sh")
        read = args.keeper.container(self, "restore-database", command, [])
        pod = Pod(init=[read], containers=[args.speaker(self, "load.sh")], fs_group=_MARIADB_UID)
        self.cron_job(pod, schedule=args.keeper.schedule.cron, by_hand=True)
        self.register_outputs({})


class RestoreFiles(DaemonComponent):
    """Writes MinIO's drive, when somebody asks for it and MinIO is down."""

    def __init__(
        self,
        name: str,
        site: Site,
        keeper: Keeper,
        claim: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(topology.RESTORE_FILES, name, site, opts)
        command = entry.command("restore.sh", "files", interpreter="/bin/sh")
        read = keeper.container(self, "restore-files", command, [from_claim("data", "/data", claim)])
        self.cron_job(
            Pod(containers=[read], fs_group=READ_ONLY.uid), schedule=keeper.schedule.cron, by_hand=True
        )
        self.register_outputs({})


class RestoreMail(DaemonComponent):
    """Writes Cyrus' volumes and has its own tools mend what needs it, when somebody asks for it and Cyrus is down."""

    def __init__(
        self,
        name: str,
        site: Site,
        keeper: Keeper,
        cyrus: Container,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(topology.RESTORE_MAIL, name, site, opts)
        command = entry.command("restore.sh", "mail", interpreter="/bin/sh")
        volumes = [mount for mount in cyrus.mounts if mount.path in (_SPOOL, _STATE)]
        read = keeper.container(self, "restore-mail", command, volumes)
        mending = replace(
            cyrus,
            env={**cyrus.env, "KOLAB_TASK": "reconstruct"},
            ports=(),
            host_ports={},
            startup=None,
            readiness=None,
            liveness=None,
            pre_stop=(),
        )
        self.cron_job(Pod(init=[read], containers=[mending]), schedule=keeper.schedule.cron, by_hand=True)
        self.register_outputs({})
