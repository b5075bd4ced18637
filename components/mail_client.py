"""Programs of the monitoring that have an account here: they log in as people's mail programs do. How often, and what is counted,
is decided in model/monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe, from_secret
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.monitoring.mail_client import PASSWORD_FILE

_NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class MailClientArgs:
    """Inputs of a MailClient: its command line, the account's password, and where the proxy is: `names` at `address`."""

    build: Build
    arguments: Sequence[str]
    password: pulumi.Input[str]
    names: Sequence[str]
    address: str


class MailClient(DaemonComponent):
    """What these daemons are."""

    which: ClassVar[topology.Daemon]
    program: ClassVar[str]
    """A script of the folder that is called after the daemon."""

    def __init__(
        self, name: str, site: Site, args: MailClientArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(self.which, name, site, opts)
        file = PurePosixPath(PASSWORD_FILE)
        password = self.secret("password", {file.name: args.password})
        self.serve()
        answers = Probe(http="/metrics", port="metrics")
        container = Container(
            name=self.daemon.name,
            build=args.build,
            # It reads what strangers wrote.
            privileges=Privileges(uid=_NOBODY, gid=_NOBODY, read_only_root=True),
            command=entry.command(self.program, *args.arguments, interpreter="python3"),
            mounts=[self.scripts(self.daemon.name), from_secret("password", str(file.parent), password)],
            ports=self.daemon.ports,
            startup=answers.until_up(60),
            readiness=answers,
            # It ends by itself where it cannot go on, and mail or a mailbox that is not there is no reason to.
            liveness=Probe(http="/metrics", port="metrics", period=20, timeout=10, failures=6),
        )
        run = Pod(
            containers=[container],
            fs_group=_NOBODY,
            # The public address, which the world's DNS may not lead to from here (no hairpin at the router).
            host_aliases={args.address: list(dict.fromkeys(args.names))},
        )
        # Two would count each other's messages, and every report twice.
        self.deployment(run, recreate=True)
        self.register_outputs({})


class RoundTrip(MailClient):
    """A mail program that writes to itself. Its numbers are at topology.ROUND_TRIP."""

    which, program = topology.ROUND_TRIP, "probe.py"


class ReportReader(MailClient):
    """A program that looks into a mailbox and changes nothing. Its numbers are at topology.REPORT_READER."""

    which, program = topology.REPORT_READER, "reader.py"
