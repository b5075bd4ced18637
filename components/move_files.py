"""Files on their way from MinIO to Versity Gateway: what copies and compares them while both run."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apps

from components import entry
from components.containers import Build, Container, Privileges, Probe, scratch
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.accounts import FILES_BUCKET, FILES_USER, GATEWAY_REGION, GATEWAY_USER
from model.settings import FilesEngine


@dataclass(frozen=True, kw_only=True)
class MoveFilesArgs:
    """Inputs of MoveFiles: the stage, and the password of each server's user."""

    build: Build
    stage: FilesEngine
    old_password: pulumi.Input[str]
    new_password: pulumi.Input[str]


class MoveFiles(DaemonComponent):
    """Copies files each minute. `done` is well when all are in Versity Gateway, each compared: pages are led there only then."""

    done: apps.v1.Deployment

    def __init__(
        self, name: str, site: Site, args: MoveFilesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.MOVE_FILES, name, site, opts)
        passwords = self.secret(
            "credentials",
            {
                "RCLONE_CONFIG_OLD_SECRET_ACCESS_KEY": args.old_password,
                "RCLONE_CONFIG_NEW_SECRET_ACCESS_KEY": args.new_password,
            },
        )
        alive = entry.command("alive.sh", interpreter="/bin/sh")
        container = Container(
            name="move-files",
            build=args.build,
            privileges=Privileges(read_only_root=True),
            command=entry.command("move.sh", args.stage, FILES_BUCKET, interpreter="/bin/sh"),
            env={
                "HOME": "/work",
                "RCLONE_CONFIG_OLD_TYPE": "s3",
                "RCLONE_CONFIG_OLD_PROVIDER": "Minio",
                "RCLONE_CONFIG_OLD_ENDPOINT": topology.MINIO.url("s3"),
                "RCLONE_CONFIG_OLD_ACCESS_KEY_ID": FILES_USER,
                "RCLONE_CONFIG_NEW_TYPE": "s3",
                "RCLONE_CONFIG_NEW_PROVIDER": "Other",
                "RCLONE_CONFIG_NEW_ENDPOINT": topology.VERSITYGW.url("s3"),
                "RCLONE_CONFIG_NEW_REGION": GATEWAY_REGION,
                "RCLONE_CONFIG_NEW_ACCESS_KEY_ID": GATEWAY_USER,
            },
            secrets=[passwords],
            mounts=[self.scripts("move-files"), scratch("work", "/work")],
            startup=Probe(command=alive).until_up(60),
            # Ready when all is copied. The engine waits ten minutes for that; a larger move goes on, and the same update again
            # looks again.
            readiness=Probe(command=("test", "-e", "/work/done"), period=5),
            liveness=Probe(command=alive, period=60, timeout=10),
        )
        self.done = self.deployment(Pod(containers=[container]), recreate=True)
        self.register_outputs({})
