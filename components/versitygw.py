"""Versity Gateway: file storage of the web application. S3 over a folder; point kolab:external.s3 elsewhere for more."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe, from_claim
from components.daemon import DaemonComponent, Site
from components.keeper import Keeper
from components.pods import Pod
from model import topology
from model.accounts import FILES_BUCKET, GATEWAY_REGION, GATEWAY_USER
from model.settings import Volume

_USER = Privileges(uid=1001, gid=1001, read_only_root=True)


@dataclass(frozen=True, kw_only=True)
class VersitygwArgs:
    """Inputs of Versitygw. Without `keeper` there are no backups."""

    build: Build
    volume: Volume
    password: pulumi.Input[str]
    keeper: Keeper | None


class Versitygw(DaemonComponent):
    """Versity Gateway with the one bucket. Reached at topology.VERSITYGW; browsers never talk to it. `data` is the name of
    its claim: objects are files there, and what S3 knows of them besides are their extended attributes."""

    data: pulumi.Output[str]

    def __init__(
        self, name: str, site: Site, args: VersitygwArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.VERSITYGW, name, site, opts)
        credentials = self.secret("credentials", {"ROOT_SECRET_ACCESS_KEY": args.password})
        self.data = self.claim("data", args.volume)
        self.serve()
        # A path that no bucket can have the name of.
        health = Probe(http="/_/health", port="s3")
        container = Container(
            name="versitygw",
            build=args.build,
            privileges=_USER,
            command=entry.command("start.sh", FILES_BUCKET, interpreter="/bin/sh"),
            env={
                "ROOT_ACCESS_KEY_ID": GATEWAY_USER,
                "VGW_PORT": f":{self.daemon.port('s3').number}",
                "VGW_REGION": GATEWAY_REGION,
                "VGW_HEALTH": str(health.http),
                # Who asked for which object is in the web application's log; here it would be every chunk of every file.
                "VGW_QUIET": "true",
            },
            secrets=[credentials],
            mounts=[self.scripts("versitygw"), from_claim("data", "/data", self.data)],
            ports=self.daemon.ports,
            startup=health.until_up(300),
            readiness=health,
            liveness=Probe(http=health.http, port="s3", period=20, timeout=10, failures=6),
        )
        containers = [container]
        if args.keeper:
            data = from_claim("data", "/data", self.data)
            containers.append(args.keeper.sidecar(self, "objects", [data]))
        self.stateful_set(Pod(containers=containers, fs_group=_USER.gid))
        self.register_outputs({})
