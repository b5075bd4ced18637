"""Alertmanager: tells people. Whom, and how often, is decided in model/monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pulumi

from components.containers import Build, Container, Privileges, Probe, from_config, from_secret, scratch
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.monitoring.alertmanager import DATA, HEARTBEAT_FILE, PASSWORD_FILE, PATH, WEBHOOK_FILE
from model.monitoring.places import ALERTMANAGER_PATH

_NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class AlertmanagerArgs:
    """Inputs of Alertmanager. `password` is the one for handing in mail, None when that takes none;
    `webhook` and `heartbeat` are URLs that hold a token, None for any other."""

    build: Build
    configuration: str
    flags: Sequence[str]
    password: pulumi.Input[str] | None
    webhook: pulumi.Input[str] | None
    heartbeat: pulumi.Input[str] | None


class Alertmanager(DaemonComponent):
    """One Alertmanager. Reached at topology.ALERTMANAGER, by people behind the proxy's password.

    It has no volume: silences outlive a crash but not the pod, and a new pod repeats what still burns. A silence
    that is lost is a message too many; a volume that cannot be mounted is no message at all.
    """

    def __init__(
        self, name: str, site: Site, args: AlertmanagerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.ALERTMANAGER, name, site, opts)
        config = self.config("config", {"alertmanager.yml": args.configuration})
        mounts = [from_config("config", PATH, config), scratch("data", DATA, "64Mi")]
        for role, path, value in (
            ("smtp", PASSWORD_FILE, args.password),
            ("webhook", WEBHOOK_FILE, args.webhook),
            ("heartbeat", HEARTBEAT_FILE, args.heartbeat),
        ):
            if value is not None:
                file = PurePosixPath(path)
                secret = self.secret(role, {file.name: value})
                mounts.append(from_secret(role, str(file.parent), secret))
        self.serve()
        ready = f"{ALERTMANAGER_PATH}/-/ready"
        container = Container(
            name="alertmanager",
            build=args.build,
            privileges=Privileges(uid=_NOBODY, gid=_NOBODY, read_only_root=True),
            args=args.flags,
            mounts=mounts,
            ports=self.daemon.ports,
            startup=Probe(http=ready).until_up(300),
            readiness=Probe(http=ready),
            liveness=Probe(http=f"{ALERTMANAGER_PATH}/-/healthy", period=20, timeout=10, failures=6),
        )
        # Never two at a time: they know nothing of each other and would send everything twice.
        self.stateful_set(Pod(containers=[container], fs_group=_NOBODY))
        self.register_outputs({})
