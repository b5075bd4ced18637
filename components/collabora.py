"""Collabora: office documents in the browser. One pod, since all editors of a document must meet in it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe
from components.daemon import DaemonComponent, Site
from components.pods import Placement, Pod
from components.rehearsal import Rehearsal
from model import topology


@dataclass(frozen=True, kw_only=True)
class CollaboraArgs:
    """Inputs of Collabora."""

    build: Build
    website: str
    placement: Placement


class Collabora(DaemonComponent):
    """Collabora that opens documents of our Chwala only. Reached at topology.COLLABORA."""

    def __init__(
        self, name: str, site: Site, args: CollaboraArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.COLLABORA, name, site, opts)
        scripts = self.scripts("collabora", settings={"KOLAB_WOPI_HOST": topology.ROUNDCUBE.url("http")})
        self.serve()
        container = Container(
            name="collabora",
            build=args.build,
            privileges=Privileges(
                capabilities=("CHOWN", "FOWNER", "MKNOD", "SYS_CHROOT"),
                escalation=True,
                reason="coolforkit carries these as file capabilities and jails each document with them",
            ),
            command=entry.COMMAND,
            env={"SERVER_NAME": args.website, "ALLOWED_HOSTS": topology.ROUNDCUBE.name},
            mounts=[scripts],
            ports=self.daemon.ports,
            startup=Probe(http="/hosting/discovery", timeout=10).until_up(600),
            readiness=Probe(http="/hosting/discovery", timeout=10),
            liveness=Probe(http="/", period=20, timeout=10, failures=6),
        )
        rehearsal = Rehearsal(self, site, [container])
        self.deployment(
            Pod(containers=[container], placement=args.placement, grace=90),
            recreate=True,
            after=[rehearsal.passed],
        )
        self.register_outputs({})
