"""blackbox: asks the stack's own services what their clients ask. The questions are in model/monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.containers import Build, Container, Privileges, Probe, from_config
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.monitoring.blackbox import PATH

_NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class BlackboxArgs:
    """Inputs of Blackbox."""

    build: Build
    configuration: str
    flags: Sequence[str]


class Blackbox(DaemonComponent):
    """The prober. Reached at topology.BLACKBOX."""

    def __init__(
        self, name: str, site: Site, args: BlackboxArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.BLACKBOX, name, site, opts)
        config = self.config("config", {"blackbox.yml": args.configuration})
        self.serve()
        healthy = Probe(http="/-/healthy")
        container = Container(
            name="blackbox",
            build=args.build,
            privileges=Privileges(uid=_NOBODY, gid=_NOBODY, read_only_root=True),
            args=args.flags,
            mounts=[from_config("config", PATH, config)],
            ports=self.daemon.ports,
            startup=healthy.until_up(60),
            readiness=healthy,
            liveness=Probe(http="/-/healthy", period=20, timeout=10, failures=6),
        )
        self.deployment(Pod(containers=[container]))
        self.register_outputs({})
