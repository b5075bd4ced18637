"""Containers that write backups or read them: restic with the repository that the stack file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from components import entry
from components.containers import Build, Container, Mount, Privileges, Probe, scratch
from components.daemon import DaemonComponent

WORK = "/work"
"""Where copies and dumps are made, and restic keeps its cache."""
AFTER_DUMP = 10
"""Minutes from a dump of the databases to the backup of what they name: no account is younger than the mailboxes."""
_BEFORE_DRILL = 4 * 60
"""Minutes from a backup to a drill."""
READ_ONLY = Privileges(read_only_root=True)


def work() -> Mount:
    """Room for the indexes of all mailboxes and for dumps; in use only while a backup is made."""
    return scratch("work", WORK, "50Gi")


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository as restic reaches it. `authorities` (PEM) are believed about it in place of the public ones."""

    location: str
    authorities: str | None
    credentials: Mapping[str, pulumi.Input[str]]
    region: str | None = None


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When: minute of the day (UTC), and minutes from one backup to the next; drills each week, or else each month."""

    first: int
    every: int
    weekly: bool = True

    @property
    def cron(self) -> str:
        """As a CronJob says it."""
        hours = sorted({(self.first + n * self.every) // 60 % 24 for n in range(24 * 60 // self.every)})
        return f"{self.first % 60} {','.join(map(str, hours))} * * *"

    @property
    def drills(self) -> str:
        """When drills begin, as a CronJob says it: some hours after a backup, so that both are not busy at once."""
        later = self.first + min(_BEFORE_DRILL, self.every // 2)
        days = "* * 0" if self.weekly else "1 * *"
        return f"{later % 60} {later // 60 % 24} {days}"


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """What a container needs to write backups or to read them. `builds` are those of the containers, by their names."""

    builds: Mapping[str, Build]
    repository: Repository
    schedule: Schedule

    def container(
        self,
        daemon: DaemonComponent,
        name: str,
        command: Sequence[str],
        mounts: Sequence[Mount],
        *,
        liveness: Probe | None = None,
    ) -> Container:
        """A container of `daemon` that runs a script of ours in restic's image."""
        repository = self.repository
        more = {"authorities.pem": repository.authorities} if repository.authorities else {}
        variables = {
            "RESTIC_REPOSITORY": repository.location,
            "RESTIC_CACHE_DIR": f"{WORK}/cache",
            "TMPDIR": WORK,
            "HOME": WORK,
            "TZ": "UTC",
        }
        if repository.region:
            variables["AWS_DEFAULT_REGION"] = repository.region
        if more:
            variables["RESTIC_CACERT"] = f"{entry.PATH}/authorities.pem"
        return Container(
            name=name,
            build=self.builds[name],
            privileges=READ_ONLY,
            command=command,
            env=variables,
            secrets=[daemon.secret("backup", repository.credentials)],
            mounts=[
                daemon.scripts("backup", more=more, role="backup"),
                work(),
                *mounts,
            ],
            liveness=liveness,
        )

    def sidecar(
        self,
        daemon: DaemonComponent,
        engine: str,
        mounts: Sequence[Mount],
    ) -> Container:
        """A container beside a daemon whose volumes no second pod may mount. It reads them and cannot write. `engine` is
        the tag of what it keeps."""
        when = str(self.schedule.first + AFTER_DUMP), str(self.schedule.every)
        return self.container(
            daemon,
            f"backup-{engine}",
            entry.command("watch.sh", engine, *when, interpreter="/bin/sh"),
            [replace(mount, read_only=True) for mount in mounts],
            # No readiness: a backup that fails takes no mail away.
            liveness=Probe(command=entry.command("alive.sh", interpreter="/bin/sh"), period=60, timeout=10),
        )
