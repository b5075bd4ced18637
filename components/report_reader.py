"""What the world reports about our mail, read from its mailbox. What is counted is decided in model/monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe, from_secret
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.monitoring.reports import PASSWORD_FILE

_NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class ReportReaderArgs:
    """Inputs of ReportReader: its command line, the account's password, and where the proxy is: `name` at `address`."""

    build: Build
    arguments: Sequence[str]
    password: pulumi.Input[str]
    name: str
    address: str


class ReportReader(DaemonComponent):
    """A program that looks into a mailbox and changes nothing. Its numbers are at topology.REPORT_READER."""

    def __init__(
        self, name: str, site: Site, args: ReportReaderArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.REPORT_READER, name, site, opts)
        file = PurePosixPath(PASSWORD_FILE)
        password = self.secret("password", {file.name: args.password})
        self.serve()
        answers = Probe(http="/metrics", port="metrics")
        container = Container(
            name="report-reader",
            build=args.build,
            # It reads what strangers wrote.
            privileges=Privileges(uid=_NOBODY, gid=_NOBODY, read_only_root=True),
            command=entry.command("reader.py", *args.arguments, interpreter="python3"),
            mounts=[self.scripts("report-reader"), from_secret("password", str(file.parent), password)],
            ports=self.daemon.ports,
            startup=answers.until_up(60),
            readiness=answers,
            # It ends by itself where it cannot go on, and a mailbox that is not reached is no reason to.
            liveness=Probe(http="/metrics", port="metrics", period=20, timeout=10, failures=6),
        )
        run = Pod(
            containers=[container],
            fs_group=_NOBODY,
            # The public address, which the world's DNS may not lead to from here (no hairpin at the router).
            host_aliases={args.address: [args.name]},
        )
        # Two would count every report twice.
        self.deployment(run, recreate=True)
        self.register_outputs({})
