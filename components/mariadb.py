"""MariaDB: accounts, domains, webmail settings, by Kolab's image or by MariaDB's own (docs/adr/0022). One instance; point kolab:external.database elsewhere for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe, from_claim
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.accounts import LEGACY_DATABASE, ROUNDCUBE_DATABASE, WEBAPP_DATABASE
from model.settings import Volume
from model.types import bytes_of

_UID = 27
_DATA = "/var/lib/mysql/data"
"""Where sclorg's MariaDB keeps its data; a volume one level up stays empty while the data die with the pod."""
_TAKING_OVER = 6 * 3600
"""Seconds that a release may take to make data of an older one its own: it looks at every table."""


@dataclass(frozen=True, kw_only=True)
class MariadbArgs:
    """Inputs of Mariadb. `goes_back`: data of a newer release may be put aside."""

    build: Build
    release: str
    goes_back: bool
    volume: Volume
    max_connections: int
    root_password: pulumi.Input[str]
    webapp_password: pulumi.Input[str]
    roundcube_password: pulumi.Input[str]
    legacy_password: pulumi.Input[str]


class Mariadb(DaemonComponent):
    """MariaDB with the three databases that Kolab's image insists on. Reached at topology.MARIADB once it is started."""

    def __init__(
        self, name: str, site: Site, args: MariadbArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.MARIADB, name, site, opts)
        # All passwords are reset from these variables at every start, so a rotation needs no SQL.
        credentials = self.secret(
            "credentials",
            {
                "MYSQL_ROOT_PASSWORD": args.root_password,
                "DB_HKCCP_PASSWORD": args.webapp_password,
                "DB_RC_PASSWORD": args.roundcube_password,
                "DB_KOLAB_PASSWORD": args.legacy_password,
            },
            guarded=True,
        )
        data = self.claim("data", args.volume)
        self.serve()
        theirs = args.release == "10.5"
        ready = entry.command("ready.sh") if theirs else entry.command("answers.sh", "ready")
        alive = ("mysqladmin", "-u", "root", "ping") if theirs else entry.command("answers.sh")
        self._container = Container(
            name="mariadb",
            build=args.build,
            privileges=Privileges(uid=_UID),
            command=entry.COMMAND if theirs else entry.command("start.sh"),
            env={
                "DB_HKCCP_DATABASE": WEBAPP_DATABASE,
                "DB_HKCCP_USERNAME": WEBAPP_DATABASE,
                "DB_RC_DATABASE": ROUNDCUBE_DATABASE,
                "DB_RC_USERNAME": ROUNDCUBE_DATABASE,
                "DB_KOLAB_DATABASE": LEGACY_DATABASE,
                "DB_KOLAB_USERNAME": LEGACY_DATABASE,
                "TZ": "UTC",
                # What all daemons together may open (model/budget.py); the image's default is 151.
                "MYSQL_MAX_CONNECTIONS": str(args.max_connections),
                **({} if theirs else _own(args)),
                **({"KOLAB_GOES_BACK": "yes"} if args.goes_back else {}),
            },
            secrets=[credentials],
            mounts=[self.scripts("mariadb"), from_claim("data", _DATA, data)],
            ports=self.daemon.ports,
            startup=Probe(command=ready, timeout=5).until_up(600 if theirs else _TAKING_OVER),
            readiness=Probe(command=ready, timeout=5),
            liveness=Probe(command=alive, period=20, timeout=10, failures=6),
            says_why=True,
        )
        self.register_outputs({})

    def start(self, *, after: Sequence[pulumi.Resource]) -> None:
        """Makes its pod when `after` is done."""
        self.stateful_set(Pod(containers=[self._container], fs_group=_UID, grace=120), after=after)


def _own(args: MariadbArgs) -> dict[str, str]:
    """What Kolab's image finds out itself: half of its memory is the buffer pool (sclorg: 50-my-tuning.cnf)."""
    pool = bytes_of(args.build.size.memory_limit) // 2
    return {"KOLAB_RELEASE": args.release, "KOLAB_BUFFER_POOL": str(pool)}
