"""Prometheus: keeps the numbers, judges the rules. What it scrapes is decided in model/monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.containers import Build, Container, Privileges, Probe, from_claim, from_config
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.monitoring.places import PROMETHEUS_PATH
from model.monitoring.prometheus import DATA, PATH, RULES
from model.settings import Volume

_NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class PrometheusArgs:
    """Inputs of Prometheus: the texts of its two files and its command line."""

    build: Build
    volume: Volume
    configuration: str
    rules: str
    flags: Sequence[str]


class Prometheus(DaemonComponent):
    """Prometheus on its volume. Reached at topology.PROMETHEUS, by people behind the proxy's password."""

    def __init__(
        self, name: str, site: Site, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.PROMETHEUS, name, site, opts)
        # A changed rule is a new ConfigMap and so a new pod: there is no reload that could be forgotten.
        config = self.config("config", {"prometheus.yml": args.configuration, RULES: args.rules})
        data = self.claim("data", args.volume)
        self.serve()
        ready = f"{PROMETHEUS_PATH}/-/ready"
        container = Container(
            name="prometheus",
            build=args.build,
            privileges=Privileges(uid=_NOBODY, gid=_NOBODY, read_only_root=True),
            args=args.flags,
            mounts=[from_config("config", PATH, config), from_claim("data", DATA, data)],
            ports=self.daemon.ports,
            # It reads its write-ahead log first, for minutes after a crash.
            startup=Probe(http=ready).until_up(900),
            readiness=Probe(http=ready),
            liveness=Probe(http=f"{PROMETHEUS_PATH}/-/healthy", period=20, timeout=10, failures=6),
        )
        self.stateful_set(Pod(containers=[container], fs_group=_NOBODY, grace=120))
        self.register_outputs({})
