"""Cyrus IMAP: mailboxes, delivery, CalDAV and CardDAV, ManageSieve. Exactly one instance, ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import batch

from components import entry
from components.containers import Build, Container, Privileges, Probe, from_certificate, from_claim
from components.daemon import DaemonComponent, Site
from components.keeper import Keeper
from components.pods import Pod, Public
from components.rehearsal import Rehearsal
from model import topology
from model.accounts import IMAP_ADMIN
from model.settings import Volume

_CERTIFICATE = "/kolab/certificate"

_PRIVILEGES = Privileges(
    uid=0,
    capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"),
    reason="init starts as root, gives the volumes to uid 1001 and drops to it with runuser; KILL passes SIGTERM on to it",
)


@dataclass(frozen=True, kw_only=True)
class ImapArgs:
    """Inputs of Imap. `certificate` is the Secret for the public ManageSieve name; without `keeper` there are no backups."""

    build: Build
    mailboxes: Volume
    state: Volume
    certificate: pulumi.Input[str]
    public: Public
    keeper: Keeper | None
    extra: Mapping[str, str]
    """Options of an operator's own for imapd.conf."""


class Imap(DaemonComponent):
    """Cyrus on its two volumes. Reached at topology.IMAP. `container` is what a restore runs to mend them; once `rehearsed`,
    its certificate is there.
    """

    container: Container
    rehearsed: batch.v1.Job

    def __init__(
        self, name: str, site: Site, args: ImapArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.IMAP, name, site, opts)
        settings = {
            "KOLAB_PUBLIC_SIEVE_PORT": str(self.daemon.port("sieve-tls").number),
            "KOLAB_ANSWERS": topology.POSTFIX.at("answers"),
        }
        more = {"extra.conf": "".join(f"{name}: {value}\n" for name, value in args.extra.items())}
        scripts = self.scripts("imap", settings=settings, more=more if args.extra else None)
        mailboxes = self.claim("mailboxes", args.mailboxes)
        state = self.claim("state", args.state)
        self.serve()
        asked = [str(self.daemon.port(name).number) for name in ("imap", "lmtp")]
        ready = entry.command("ready.sh", *asked)
        container = Container(
            name="imap",
            build=args.build,
            privileges=_PRIVILEGES,
            command=entry.COMMAND,
            env={
                "IMAP_ADMIN_LOGIN": IMAP_ADMIN,
                "APP_SERVICES_DOMAIN": topology.WEBAPP.name,
                "SERVICES_PORT": str(topology.WEBAPP.port("http").number),
                "SERVERNAME": topology.IMAP.name,
                "MAXLOGINS_PER_USER": "50",
                # Roundcube's tags are annotations that Cyrus must not know beforehand.
                "WITH_TAGS": "true",
                "WITH_TLS": "true",
                "SSL_CERTIFICATE": f"{_CERTIFICATE}/tls.crt",
                "SSL_CERTIFICATE_KEY": f"{_CERTIFICATE}/tls.key",
                # Required beside WITH_TLS; any readable PEM will do since no client certificates are asked for.
                "TLS_SERVER_CA_FILE": f"{_CERTIFICATE}/tls.crt",
            },
            mounts=[
                scripts,
                from_certificate("certificate", _CERTIFICATE, args.certificate),
                from_claim("mailboxes", "/var/spool/imap", mailboxes),
                from_claim("state", "/var/lib/imap", state),
            ],
            ports=self.daemon.ports,
            host_ports=args.public.host_ports,
            # chown -R walks the whole spool at each start.
            startup=Probe(command=ready, timeout=10).until_up(1800),
            readiness=Probe(command=ready, timeout=10),
            liveness=Probe(command=entry.command("alive.sh", *asked), period=30, timeout=20, failures=4),
            pre_stop=entry.command("stop.sh"),
        )
        self.container = container
        containers = [container]
        if args.keeper:
            volumes = [mount for mount in container.mounts if mount.volume in ("mailboxes", "state")]
            containers.append(args.keeper.sidecar(self, "mail", volumes))
        self.rehearsed = Rehearsal(self, site, [container]).passed
        self.stateful_set(
            Pod(containers=containers, placement=args.public.placement, edge=args.public.edge, grace=180),
            after=[self.rehearsed],
        )
        self.register_outputs({})
