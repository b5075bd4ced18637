"""Postfix with Amavis beside it: receives, filters, signs, delivers, sends."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes import batch

from components import entry
from components.amavis import AmavisArgs, amavis_container
from components.containers import (
    Build,
    Container,
    Mount,
    Privileges,
    Probe,
    from_certificate,
    from_secret,
    from_template,
)
from components.daemon import DaemonComponent, Site
from components.inputs import Database
from components.pods import Pod, Public
from components.postfix_exporter import exporter_container
from components.rehearsal import Rehearsal
from components.unbound import Resolving, unbound_container
from model import budget, topology
from model.settings import Volume

_CERTIFICATE = "/kolab/certificate"
_LOGIN = "/kolab/relay"
_SRS = "/kolab/srs"

_REASON = "postfix set-permissions, the queue's owners and the setgid queue commands need root and these capabilities"


@dataclass(frozen=True)
class Login:
    """Who we are at the smarthost. A user name has no colon: SASL's PLAIN could say it, Postfix' map could not."""

    username: str
    password: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A smarthost. `authorities` (PEM) are believed about it in place of the image's own."""

    host: str
    port: int
    implicit_tls: bool
    authorities: str | None
    login: Login | None

    @property
    def next_hop(self) -> str:
        """As transport(5) writes it: without a look at MX records."""
        return f"[{self.host}]:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Dane:
    """Servers of the world show the keys that their zones name; mail to the domains `exempt` only has to be encrypted."""

    exempt: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """What main.cf says. `message_size_limit` is in bytes; `aliases` maps addresses to mailboxes.

    `domains` are ours, the primary one first; `pods` is the network of those that may hand in what Cyrus sends.
    """

    helo: str
    ipv6: bool
    """Whether the world reaches port 25 by IPv6."""
    sends_ipv6: bool
    """Whether DNS names an IPv6 address that mail leaves from."""
    message_size_limit: int
    aliases: Mapping[str, str]
    domains: Sequence[str]
    pods: str
    relay: Relay | None
    dane: Dane | None = None
    maintenance: bool = False
    """Whether it begins with maintenance on."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Parameters of an operator's own."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What runs beside Postfix; without `exporter` nobody reads numbers, without `resolver` the cluster's DNS is asked."""

    amavis: AmavisArgs
    exporter: Build | None
    resolver: Resolving | None


@dataclass(frozen=True, kw_only=True)
class PostfixArgs:
    """Inputs of Postfix. `certificate` is the Secret of the MX certificate."""

    build: Build
    beside: Beside
    domain: str
    smtp: Smtp
    content_filter: bool
    database: Database
    certificate: pulumi.Input[str]
    queue: Volume
    filters: Volume
    replicas: int
    public: Public


class Postfix(DaemonComponent):
    """Postfix, each replica with a queue of its own. Reached at topology.POSTFIX for submission from inside. Once `rehearsed`,
    its certificate is there.
    """

    rehearsed: batch.v1.Job

    def __init__(
        self, name: str, site: Site, args: PostfixArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.POSTFIX, name, site, opts)
        scripts = self.scripts("postfix", settings=_settings(args), more=_files(args.smtp))
        credentials = self.secret("credentials", {"DB_PASSWORD": args.database.password})
        srs = self.secret("srs", {"key": _srs_key(site.salt)})
        queue = self.claims("queue", args.queue, replicas=args.replicas)
        filters = self.claims("filters", args.filters, replicas=args.replicas)
        absent = () if args.beside.exporter else topology.POSTFIX_EXPORTER.ports
        listening = [port for port in self.daemon.ports if port not in absent]
        self.serve(listening=listening)
        self.serve(headless="postfix-pods", listening=listening)
        containers = [
            self._postfix(args, scripts, credentials, srs),
            amavis_container(self, args.beside.amavis, credentials),
        ]
        self.rehearsed = Rehearsal(self, site, containers).passed
        if args.beside.exporter is not None:
            containers.append(exporter_container(args.beside.exporter))
        if args.beside.resolver is not None:
            containers.append(unbound_container(self, args.beside.resolver))
        self.stateful_set(
            Pod(containers=containers, placement=args.public.placement, edge=args.public.edge, grace=60),
            replicas=args.replicas,
            templates=(queue, filters),
            after=[self.rehearsed],
        )
        if args.replicas > 1:
            self.disruption_budget()
        self.register_outputs({})

    def _postfix(
        self, args: PostfixArgs, scripts: Mount, credentials: pulumi.Input[str], srs: pulumi.Input[str]
    ) -> Container:
        ready = entry.command("ready.sh", str(self.daemon.port("submission").number))
        return Container(
            name="postfix",
            build=args.build,
            privileges=Privileges(
                uid=0,
                capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"),
                # The filter's pipe runs as nobody and hands mail back through setgid postdrop.
                escalation=args.content_filter,
                reason=_REASON,
            ),
            command=entry.COMMAND,
            env={
                "APP_DOMAIN": args.domain,
                "APP_SERVICES_DOMAIN": topology.WEBAPP.name,
                "SERVICES_PORT": str(topology.WEBAPP.port("http").number),
                "LMTP_DESTINATION": topology.IMAP.at("lmtp"),
                # Both the permit to hand mail back and the permit to relay. Only this pod may have either.
                "MYNETWORKS": "127.0.0.0/8",
                "AMAVIS_HOST": "127.0.0.1",
                **args.database.environment("DB"),
                "WITH_CONTENTFILTER": "true" if args.content_filter else "false",
                "SSL_CERTIFICATE": f"{_CERTIFICATE}/tls.crt",
                "SSL_CERTIFICATE_KEY": f"{_CERTIFICATE}/tls.key",
            },
            secrets=[credentials],
            mounts=[
                scripts,
                from_certificate("certificate", _CERTIFICATE, args.certificate),
                # Read by nobody, as who senders are rewritten.
                from_secret("srs", _SRS, srs, mode=0o444),
                from_template("queue", "/var/spool/postfix", "spool"),
                from_template("queue", "/var/lib/postfix", "lib"),
                *self._login(args.smtp.relay),
            ],
            ports=self.daemon.own_ports,
            host_ports=args.public.host_ports,
            # Waits for the imported address ranges at the very first start; see start.sh.
            startup=Probe(command=ready, timeout=10).until_up(3600),
            readiness=Probe(command=ready, timeout=10),
            liveness=Probe(tcp=True, port="submission", period=30, timeout=10, failures=6),
        )

    def _login(self, relay: Relay | None) -> list[Mount]:
        """The smarthost's password, as a file for this one container: no environment and no command line has it."""
        if relay is None or relay.login is None:
            return []
        login = self.secret("relay", {"login": login_map(relay, relay.login)})
        return [from_secret("relay", _LOGIN, login, mode=0o400)]


def login_map(relay: Relay, login: Login) -> pulumi.Output[str]:
    """The one line of the smarthost's password map (postconf(5), smtp_sasl_password_maps)."""
    return pulumi.Output.concat(relay.next_hop, " ", login.username, ":", login.password, "\n")


def _srs_key(salt: pulumi.Input[str]) -> pulumi.Output[str]:
    """The key that senders of redirected mail are rewritten with, the same on all replicas and after every restart.

    A secret of its own would have to be kept and rotated; this one is drawn from the stack's, and does not give it away.
    """
    made = pulumi.Output.from_input(salt).apply(
        lambda text: hmac.new(text.encode(), b"senders of redirected mail", hashlib.sha256).hexdigest()
    )
    return pulumi.Output.secret(made)


def _files(args: Smtp) -> dict[str, str]:
    found = {"aliases": _aliases(args.aliases)}
    if args.relay and args.relay.authorities:
        found["authorities.pem"] = args.relay.authorities
    if args.dane:
        found["exempt"] = "".join(f"{domain} encrypt\n" for domain in sorted(args.dane.exempt))
    if args.extra:
        found["extra.cf"] = "".join(f"{name} = {value}\n" for name, value in args.extra.items())
    return found


def _aliases(aliases: Mapping[str, str]) -> str:
    return "".join(f"{address} {mailbox}\n" for address, mailbox in sorted(aliases.items()))


def _settings(args: PostfixArgs) -> dict[str, str]:
    """What start.sh writes into main.cf."""
    found = {
        "KOLAB_HELO": args.smtp.helo,
        "KOLAB_PROTOCOLS": "all" if args.smtp.ipv6 or args.smtp.sends_ipv6 else "ipv4",
        "KOLAB_SENDING": "all" if args.smtp.sends_ipv6 else "ipv4",
        "KOLAB_MESSAGE_SIZE_LIMIT": str(args.smtp.message_size_limit),
        "KOLAB_PROXYMAPS": str(budget.PROXYMAPS),
        "KOLAB_TABLES": str(budget.TABLES),
        "KOLAB_SMTPD": str(budget.SMTPD),
        "KOLAB_SMTPD_PER_CLIENT": str(budget.SMTPD_PER_CLIENT),
        "KOLAB_SUBMISSIONS": str(budget.SUBMISSIONS),
        "KOLAB_FILTERED": str(budget.FILTERED),
        "KOLAB_POLICIES": str(budget.POLICIES),
        "KOLAB_POLICY_SECONDS": str(budget.POLICY_SECONDS),
        "KOLAB_ANSWERS": str(budget.ANSWERS),
        "KOLAB_ANSWERS_PORT": str(topology.POSTFIX.port("answers").number),
        "KOLAB_ANSWERS_CLIENTS": args.smtp.pods,
        "KOLAB_OWN_DOMAINS": " ".join(args.smtp.domains),
    }
    if args.smtp.maintenance:
        found["KOLAB_BEGIN"] = "close"
    if args.smtp.dane:
        found["KOLAB_DANE"] = "yes"
    if args.smtp.relay:
        found["KOLAB_RELAY"] = args.smtp.relay.next_hop
        found["KOLAB_RELAY_IMPLICIT_TLS"] = "yes" if args.smtp.relay.implicit_tls else "no"
        found["KOLAB_RELAY_LOGIN"] = "yes" if args.smtp.relay.login else "no"
    return found
