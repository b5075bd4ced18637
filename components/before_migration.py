"""The dump of the databases before images change their tables, and the way back to it.

One Job between the rehearsals and the migrations, named by the latter: an update after which no migration runs makes none.
It leaves the dump on a volume of its own, and in the repository of backups where there is one. When it fails, nothing has
been migrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
from pulumi_kubernetes import batch

from components import content, entry
from components.containers import Container, Mount, from_claim
from components.daemon import DaemonComponent, Site
from components.engines import MARIADB_UID, Databases
from components.keeper import Keeper
from components.pods import Pod
from model import topology
from model.settings import Volume

_DUMPS = "/dumps"
_RETRIES = 3
"""For what passes, such as a repository that does not answer."""
_SECONDS = 2 * 3600
"""Until a dump that never ends counts as failed."""


@dataclass(frozen=True, kw_only=True)
class BeforeMigrationArgs:
    """Inputs of BeforeMigration. `migrations` are the names of the Jobs that change tables, `rehearsed` what tries their
    images; without `keeper` there are no backups."""

    databases: Databases
    restoring: Databases
    volume: Volume
    migrations: Sequence[str]
    rehearsed: Sequence[pulumi.Resource]
    keeper: Keeper | None


class BeforeMigration(DaemonComponent):
    """Dumps the databases. `done` is what migrations wait for."""

    done: batch.v1.Job

    def __init__(
        self,
        name: str,
        site: Site,
        args: BeforeMigrationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(topology.BEFORE_MIGRATION, name, site, opts)
        claim = self.claim("dumps", args.volume)
        volume = from_claim("dumps", _DUMPS, claim)
        called = content.config_name(self.daemon.name, dict.fromkeys(args.migrations, "runs"))
        dump = _with(args.databases.speaker(self, f"{self.daemon.name}.sh"), volume, KOLAB_MIGRATION=called)
        kept = []
        if args.keeper:
            command = entry.command("databases.sh", interpreter="/bin/sh")
            keeping = args.keeper.container(self, topology.KEEP_DUMP.name, command, [])
            kept = [
                replace(keeping, env={**keeping.env, "KOLAB_BACKUP_TAG": self.daemon.name}, says_why=True)
            ]
        run = Pod(
            init=[dump] if kept else [],
            containers=kept or [dump],
            fs_group=MARIADB_UID,
        )
        self.done = batch.v1.Job(
            f"{name}-job",
            metadata=self.metadata(called),
            spec=batch.v1.JobSpecArgs(
                backoff_limit=_RETRIES,
                active_deadline_seconds=_SECONDS,
                template=self._template(run, restart="Never"),
            ),
            # As rehearsals: the way back leads to an old name.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=list(args.rehearsed), delete_before_replace=True
            ),
        )
        RestoreDump(f"{name}-restore", site, args.restoring, claim, self.child())
        self.register_outputs({})


class RestoreDump(DaemonComponent):
    """Loads a dump of the volume, when somebody asks for it and nobody uses the databases."""

    def __init__(
        self,
        name: str,
        site: Site,
        databases: Databases,
        claim: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(topology.RESTORE_DUMP, name, site, opts)
        loading = _with(databases.speaker(self, f"{self.daemon.name}.sh"), from_claim("dumps", _DUMPS, claim))
        self.cron_job(Pod(containers=[loading], fs_group=MARIADB_UID), schedule="0 0 1 1 *", by_hand=True)
        self.register_outputs({})


def _with(container: Container, volume: Mount, **env: str) -> Container:
    return replace(
        container,
        env={**container.env, **env},
        mounts=[*container.mounts, volume],
        says_why=True,
    )
