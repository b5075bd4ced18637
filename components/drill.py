"""Drills: the newest backup is brought back beside the living stack, looked at, and thrown away.

Pods of a drill reach the repository and nothing else, and their volumes go an hour after their end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
from pulumi_kubernetes import core

from components import entry
from components.containers import Container
from components.daemon import DaemonComponent, Site
from components.engines import DatabasesArgs
from components.keeper import READ_ONLY, Keeper
from components.pods import Pod
from model import topology
from model.settings import Volume

_SHOWN = 3600
"""Seconds for which the log of a drill can be read. Volumes of a pod last as long as its object."""


class DrillDatabase(DaemonComponent):
    """Loads the newest dump into a server of its own, in the same pod."""

    def __init__(
        self, name: str, site: Site, args: DatabasesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.DRILL_DATABASE, name, site, opts)
        command = entry.command("drill.sh", "database", interpreter="/bin/sh")
        read = args.keeper.container(self, "drill-database", command, [])
        pod = Pod(init=[read], containers=[args.alone(self, "drill-databases.sh")], fs_group=args.group)
        self.cron_job(pod, schedule=args.keeper.schedule.drills, kept=_SHOWN)
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class DrillMailArgs:
    """Inputs of DrillMail. `room` is how much the volumes of `cyrus` take, by their paths."""

    keeper: Keeper
    cyrus: Container
    room: Mapping[str, Volume]


class DrillMail(DaemonComponent):
    """Has Cyrus' own tools read the newest backup of the mail."""

    def __init__(
        self, name: str, site: Site, args: DrillMailArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.DRILL_MAIL, name, site, opts)
        cyrus, keeper, room = args.cyrus, args.keeper, args.room
        volumes = [
            replace(mount, source=_for_now(room[mount.path])) if mount.path in room else mount
            for mount in cyrus.mounts
        ]
        command = entry.command("drill.sh", "mail", interpreter="/bin/sh")
        read = keeper.container(
            self, "drill-mail", command, [mount for mount in volumes if mount.path in room]
        )
        looking = replace(cyrus, mounts=volumes).at_rest("drill")
        # Nobody has given these volumes to Cyrus' user yet.
        pod = Pod(init=[read], containers=[looking], fs_group=READ_ONLY.uid)
        self.cron_job(pod, schedule=keeper.schedule.drills, kept=_SHOWN)
        self.register_outputs({})


def _for_now(volume: Volume) -> dict[str, object]:
    """A volume that is made with its pod and goes with it."""
    spec = core.v1.PersistentVolumeClaimSpecArgs(
        access_modes=["ReadWriteOnce"],
        storage_class_name=volume.storage_class,
        resources=core.v1.VolumeResourceRequirementsArgs(requests={"storage": volume.size}),
    )
    template = core.v1.PersistentVolumeClaimTemplateArgs(spec=spec)
    return {"ephemeral": core.v1.EphemeralVolumeSourceArgs(volume_claim_template=template)}
