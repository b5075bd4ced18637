"""Engines that hold data, as backups, restores and drills run them: the databases, and Cyrus at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi

from components import entry
from components.containers import Build, Container, Privileges
from components.daemon import DaemonComponent
from components.keeper import WORK, Keeper, work

MARIADB_UID = 27
_DUMP = f"{WORK}/dump"


@dataclass(frozen=True, kw_only=True)
class Databases:
    """The databases as a pod reaches them. `passwords` are theirs, by their names."""

    build: Build
    host: str
    passwords: Mapping[str, pulumi.Input[str]]
    group: int = MARIADB_UID
    """Whose the dumps are, in every pod that handles them."""

    def alone(self, daemon: DaemonComponent, script: str) -> Container:
        """The container of a server of its own: it has no password of the living one."""
        return Container(
            name=script.removesuffix(".sh"),
            build=self.build,
            privileges=Privileges(uid=MARIADB_UID, read_only_root=True),
            command=entry.command(script, _DUMP, *self.passwords),
            mounts=[daemon.scripts("backup", role="databases"), work()],
        )

    def speaker(self, daemon: DaemonComponent, script: str) -> Container:
        """The container that speaks to the databases and knows nothing of the repository."""
        variables = {f"KOLAB_PASSWORD_{name}": password for name, password in self.passwords.items()}
        secrets = [daemon.secret("databases", variables)]
        return replace(self.alone(daemon, script), env={"DB_HOST": self.host}, secrets=secrets)


@dataclass(frozen=True, kw_only=True)
class DatabasesArgs(Databases):
    """Inputs of BackupDatabase, RestoreDatabase and DrillDatabase."""

    keeper: Keeper
