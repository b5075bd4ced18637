"""Backups: what reads the data and writes to the repository, and what brings them back.

Whoever holds the key of the repository holds no password of the databases, and the other way round: one container dumps
or loads, another one writes or reads. Restores are CronJobs that wait for `./kolab backup restore`.
"""

from __future__ import annotations

from typing import Literal

import pulumi

from components import entry
from components.containers import Container, from_claim
from components.daemon import DaemonComponent, Site
from components.engines import MARIADB_UID, DatabasesArgs
from components.keeper import READ_ONLY, Keeper
from components.pods import Pod
from model import topology

_SPOOL, _STATE = "/var/spool/imap", "/var/lib/imap"


class BackupDatabase(DaemonComponent):
    """Dumps the databases on schedule. Before the mail: no account of the dump is younger than the mailboxes."""

    def __init__(
        self, name: str, site: Site, args: DatabasesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.BACKUP_DATABASE, name, site, opts)
        keeper = args.keeper
        command = entry.command("databases.sh", interpreter="/bin/sh")
        kept = keeper.container(self, "backup-database", command, [])
        pod = Pod(init=[args.speaker(self, "dump.sh")], containers=[kept], fs_group=MARIADB_UID)
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
        pod = Pod(init=[read], containers=[args.speaker(self, "load.sh")], fs_group=MARIADB_UID)
        self.cron_job(pod, schedule=args.keeper.schedule.cron, by_hand=True)
        self.register_outputs({})


class RestoreFiles(DaemonComponent):
    """Writes the volume of the server of files, when somebody asks for it and that is down. `engine`: whose snapshots."""

    def __init__(
        self,
        name: str,
        site: Site,
        keeper: Keeper,
        claim: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        *,
        engine: Literal["files", "objects"],
    ) -> None:
        super().__init__(topology.RESTORE_FILES, name, site, opts)
        command = entry.command("restore.sh", engine, interpreter="/bin/sh")
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
        mending = cyrus.at_rest("reconstruct")
        self.cron_job(Pod(init=[read], containers=[mending]), schedule=keeper.schedule.cron, by_hand=True)
        self.register_outputs({})
