"""MariaDB: accounts, domains, webmail settings. One instance; point kolab:external.database elsewhere for more."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe, from_claim
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.accounts import LEGACY_DATABASE, ROUNDCUBE_DATABASE, WEBAPP_DATABASE
from model.settings import Volume

_UID = 27
_DATA = "/var/lib/mysql/data"
"""Where sclorg's MariaDB keeps its data; a volume one level up stays empty while the data die with the pod."""


@dataclass(frozen=True, kw_only=True)
class MariadbArgs:
    """Inputs of Mariadb."""

    build: Build
    volume: Volume
    max_connections: int
    root_password: pulumi.Input[str]
    webapp_password: pulumi.Input[str]
    roundcube_password: pulumi.Input[str]
    legacy_password: pulumi.Input[str]


class Mariadb(DaemonComponent):
    """MariaDB 10.5 with the three databases that the image insists on. Reached at topology.MARIADB."""

    def __init__(
        self, name: str, site: Site, args: MariadbArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.MARIADB, name, site, opts)
        # The image resets all passwords from these variables at every start, so a rotation needs no SQL.
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
        ready = entry.command("ready.sh")
        container = Container(
            name="mariadb",
            build=args.build,
            privileges=Privileges(uid=_UID),
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
            },
            secrets=[credentials],
            mounts=[self.scripts("mariadb"), from_claim("data", _DATA, data)],
            ports=self.daemon.ports,
            startup=Probe(command=ready, timeout=5).until_up(600),
            readiness=Probe(command=ready, timeout=5),
            liveness=Probe(command=("mysqladmin", "-u", "root", "ping"), period=20, timeout=10, failures=6),
        )
        self.stateful_set(Pod(containers=[container], fs_group=_UID, grace=120))
        self.register_outputs({})
