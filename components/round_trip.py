"""The message that comes back: sent and read as people's mail programs do. How often is decided in model/monitoring."""

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
from model.monitoring.round_trip import PASSWORD_FILE

_NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class RoundTripArgs:
    """Inputs of RoundTrip: its command line, the account's password, and where the proxy is: `names` at `address`."""

    build: Build
    arguments: Sequence[str]
    password: pulumi.Input[str]
    names: Sequence[str]
    address: str


class RoundTrip(DaemonComponent):
    """A mail program that writes to itself. Its numbers are at topology.ROUND_TRIP."""

    def __init__(
        self, name: str, site: Site, args: RoundTripArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.ROUND_TRIP, name, site, opts)
        file = PurePosixPath(PASSWORD_FILE)
        password = self.secret("password", {file.name: args.password})
        self.serve()
        answers = Probe(http="/metrics", port="metrics")
        container = Container(
            name="round-trip",
            build=args.build,
            privileges=Privileges(uid=_NOBODY, gid=_NOBODY, read_only_root=True),
            command=entry.command("probe.py", *args.arguments, interpreter="python3"),
            mounts=[self.scripts("round-trip"), from_secret("password", str(file.parent), password)],
            ports=self.daemon.ports,
            startup=answers.until_up(60),
            readiness=answers,
            # It ends by itself where it cannot go on, and a message that does not come back is no reason to.
            liveness=Probe(http="/metrics", port="metrics", period=20, timeout=10, failures=6),
        )
        run = Pod(
            containers=[container],
            fs_group=_NOBODY,
            # The public address, which the world's DNS may not lead to from here (no hairpin at the router).
            host_aliases={args.address: list(dict.fromkeys(args.names))},
        )
        # Two would count each other's messages.
        self.deployment(run, recreate=True)
        self.register_outputs({})
