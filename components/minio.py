"""MinIO: file storage of the web application. One drive; point kolab:external.s3 elsewhere for more."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe, from_claim
from components.daemon import DaemonComponent, Site
from components.keeper import Keeper
from components.pods import Pod
from model import topology
from model.accounts import FILES_BUCKET, FILES_USER
from model.settings import Volume


@dataclass(frozen=True, kw_only=True)
class MinioArgs:
    """Inputs of Minio. Without `keeper` there are no backups."""

    build: Build
    volume: Volume
    password: pulumi.Input[str]
    keeper: Keeper | None


class Minio(DaemonComponent):
    """MinIO with the one bucket. Reached at topology.MINIO; browsers never talk to it. `data` is the name of its claim."""

    data: pulumi.Output[str]

    def __init__(
        self, name: str, site: Site, args: MinioArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.MINIO, name, site, opts)
        credentials = self.secret("credentials", {"MINIO_ROOT_PASSWORD": args.password})
        data = self.claim("data", args.volume)
        self.serve()
        container = Container(
            name="minio",
            build=args.build,
            privileges=Privileges(uid=1001, gid=1001, read_only_root=True),
            command=entry.command(
                "start.sh", FILES_BUCKET, str(self.daemon.port("s3").number), interpreter="/bin/sh"
            ),
            env={"MINIO_ROOT_USER": FILES_USER, "MINIO_BROWSER": "off", "HOME": "/data"},
            secrets=[credentials],
            mounts=[self.scripts("minio"), from_claim("data", "/data", data)],
            ports=self.daemon.ports,
            startup=Probe(http="/minio/health/live", port="s3").until_up(300),
            readiness=Probe(http="/minio/health/ready", port="s3"),
            liveness=Probe(http="/minio/health/live", port="s3", period=20, timeout=10, failures=6),
        )
        self.data = data
        containers = [container]
        if args.keeper:
            containers.append(args.keeper.sidecar(self, "files", [from_claim("data", "/data", data)]))
        self.stateful_set(Pod(containers=containers, fs_group=1001))
        self.register_outputs({})
