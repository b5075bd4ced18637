"""VictoriaLogs: keeps the log lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.containers import Build, Container, Privileges, Probe, from_claim
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.monitoring.victorialogs import DATA, HEALTH_PATH
from model.settings import Volume

_NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class VictorialogsArgs:
    """Inputs of Victorialogs."""

    build: Build
    volume: Volume
    flags: Sequence[str]


class Victorialogs(DaemonComponent):
    """VictoriaLogs on its volume. Reached at topology.LOGS, by people behind the proxy's password."""

    def __init__(
        self, name: str, site: Site, args: VictorialogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.LOGS, name, site, opts)
        data = self.claim("data", args.volume)
        self.serve()
        container = Container(
            name="victorialogs",
            build=args.build,
            privileges=Privileges(uid=_NOBODY, gid=_NOBODY, read_only_root=True),
            args=args.flags,
            mounts=[from_claim("data", DATA, data)],
            ports=self.daemon.ports,
            startup=Probe(http=HEALTH_PATH).until_up(600),
            readiness=Probe(http=HEALTH_PATH),
            liveness=Probe(http=HEALTH_PATH, period=20, timeout=10, failures=6),
        )
        self.stateful_set(Pod(containers=[container], fs_group=_NOBODY, grace=60))
        self.register_outputs({})
