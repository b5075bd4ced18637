"""nginx: HTTPS, IMAP and submission for the outside world, and the gate in front of every web application."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import batch, core

from components import entry, proxy_certificates, proxy_edge, proxy_inner, proxy_policies
from components.certificates import HostCertificate
from components.containers import (
    KOLAB_USER,
    Build,
    Container,
    Probe,
    from_certificate,
    from_config,
    from_secret,
    from_secrets,
)
from components.daemon import DaemonComponent, Site
from components.pods import Pod, Public
from components.proxy_edge import Monitoring, Offered, Pages
from components.proxy_policies import Policies
from components.rehearsal import Rehearsal
from model import topology
from model.accounts import OPERATOR
from model.topology.outside import SOLVER, SOLVER_PORT, SOLVERS

_CERTIFICATE = "/kolab/certificate"
_DOMAINS = "/kolab/domains"
_POLICY = "/kolab/mta-sts"
_USERS = "/kolab/users"
_CYRUS = ("DAV", "DAV_ALTERNATIVE", "FREEBUSY")
"""What the image's locations that lead to Cyrus call it."""


@dataclass(frozen=True, kw_only=True)
class ProxyArgs:
    """Inputs of Proxy. `policies` are those of MTA-STS.

    Monitoring pages need `operator_password`.
    """

    build: Build
    pages: Pages
    monitoring: Monitoring | None
    operator_password: pulumi.Input[str] | None
    logins: proxy_inner.Logins
    policies: Policies
    certificate: pulumi.Input[str]
    domains: Mapping[str, HostCertificate]
    """Hosted domain -> its certificate."""
    told: Mapping[str, str]
    """What an Ingress controller reads at the Service."""
    extra: Sequence[str]
    """Directives of an operator's own for the server of the website."""
    replicas: int
    public: Public


class Proxy(DaemonComponent):
    """The proxy. Reached at topology.PROXY from inside, at its public address from outside. Once `rehearsed`, its certificate
    is there.
    """

    rehearsed: batch.v1.Job

    def __init__(
        self, name: str, site: Site, args: ProxyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.PROXY, name, site, opts)
        names = " ".join(dict.fromkeys(line.partition(" ")[0] for line in args.extra))
        settings = {"KOLAB_EXTRA": names} if names else {}
        if args.pages.proven:
            settings["KOLAB_SOLVERS"] = f"{SOLVERS}:{SOLVER_PORT}"
            self._list_solvers()
        scripts = self.scripts("proxy", settings=settings or None)
        pages = {
            "http.conf": proxy_edge.http_configuration(args.pages, args.monitoring)
            + proxy_policies.http_configuration(args.policies)
            + proxy_certificates.http_configuration(_CERTIFICATE, _folders(args))
            + proxy_inner.configuration(_offered(args.pages.offered), logins=args.logins),
            "server.conf": proxy_edge.server_configuration(
                args.pages,
                args.monitoring,
                users=f"{_USERS}/htpasswd",
            )
            + proxy_policies.server_configuration(args.policies, _POLICY)
            + proxy_certificates.server_configuration(_folders(args))
            + "".join(f"{line};\n" for line in args.extra),
        }
        config = self.config("config", pages)
        mounts = [
            scripts,
            from_config("config", "/etc/nginx/conf.d/kolab.conf", config, file="http.conf"),
            from_config("config", "/etc/nginx/default.d/kolab.conf", config, file="server.conf"),
            from_certificate("certificate", _CERTIFICATE, args.certificate),
        ]
        if args.domains:
            secrets = {domain: each.secret for domain, each in args.domains.items()}
            mounts.append(from_secrets("domains", _DOMAINS, secrets))
        if args.policies.files:
            policy = self.config("policy", args.policies.files)
            mounts.append(from_config("policy", _POLICY, policy))
        if args.operator_password is not None:
            users = self.secret("users", {"htpasswd": htpasswd(args.operator_password, site.salt)})
            mounts.append(from_secret("users", _USERS, users))
        self.serve(annotations=args.told)
        # The server turns foreign Host headers away, those of probes included.
        health = Probe(http="/health", headers={"Host": args.pages.website})
        container = Container(
            name="proxy",
            build=args.build,
            privileges=KOLAB_USER,
            command=entry.COMMAND,
            env=_environment(args),
            mounts=mounts,
            ports=self.daemon.ports,
            host_ports=args.public.host_ports,
            startup=Probe(http="/health", headers={"Host": args.pages.website}).until_up(600),
            readiness=health,
            liveness=Probe(
                http="/health", headers={"Host": args.pages.website}, period=20, timeout=10, failures=6
            ),
            pre_stop=entry.command("stop.sh"),
        )
        # fsGroup lets uid 1001 read the certificate's key, which stays closed to others.
        run = Pod(
            containers=[container],
            placement=args.public.placement,
            edge=args.public.edge,
            fs_group=1001,
            grace=60,
        )
        # On one node, the old pod holds the node's ports or the one address: stop it first.
        self.rehearsed = Rehearsal(self, site, [container], fs_group=run.fs_group).passed
        self.deployment(
            run, replicas=args.replicas, alone=bool(args.public.host_ports), after=[self.rehearsed]
        )
        if args.replicas > 1:
            self.disruption_budget()
        self.register_outputs({})

    def _list_solvers(self) -> None:
        """A name for the pods with which cert-manager answers challenges, whatever these are called."""
        key, value = SOLVER
        core.v1.Service(
            f"{self._logical}-{SOLVERS}",
            # There are none most of the time.
            metadata=self.metadata(SOLVERS, {"pulumi.com/skipAwait": "true"}),
            spec=core.v1.ServiceSpecArgs(
                selector={key: value},
                ports=[core.v1.ServicePortArgs(name="http", port=SOLVER_PORT)],
                cluster_ip="None",
            ),
            opts=self.child(),
        )


def htpasswd(password: pulumi.Input[str], salt: pulumi.Input[str]) -> pulumi.Output[str]:
    """The operator's line of an htpasswd file. Salted from the stack's own salt: a random one would differ each run.

    Salted SHA-1 is what nginx itself understands everywhere; the password is 32 random characters, out of reach
    of any dictionary.
    """

    def line(both: Sequence[str]) -> str:
        salted = hashlib.sha256(both[1].encode()).digest()[:8]
        digest = hashlib.sha1(both[0].encode() + salted).digest()  # noqa: S324 (the file's format)
        return f"{OPERATOR}:{{SSHA}}{base64.b64encode(digest + salted).decode()}\n"

    return pulumi.Output.all(password, salt).apply(line)


def _folders(args: ProxyArgs) -> dict[str, str]:
    """Host of a hosted domain -> folder with its certificate."""
    return {host: f"{_DOMAINS}/{domain}" for domain, each in args.domains.items() for host in each.hosts}


def _offered(parts: Offered) -> list[topology.Daemon]:
    """Backends that this stack runs."""
    optional = [topology.COLLABORA] * parts.office + [topology.MEET] * parts.meet
    return [topology.WEBAPP, topology.ROUNDCUBE, *optional]


def _environment(args: ProxyArgs) -> dict[str, str]:
    # Every way to what believes a header about its client leads through a server of ours (proxy_inner.py).
    return {
        "APP_WEBSITE_DOMAIN": args.pages.website,
        "SSL_CERTIFICATE": f"{_CERTIFICATE}/tls.crt",
        "SSL_CERTIFICATE_KEY": f"{_CERTIFICATE}/tls.key",
        "WEBAPP_BACKEND": proxy_inner.url(topology.WEBAPP),
        "MEET_BACKEND": proxy_inner.url(topology.MEET),
        "ROUNDCUBE_BACKEND": proxy_inner.url(topology.ROUNDCUBE),
        # Without paths of their own: what is asked then arrives whole, and as it was written, with images that name the
        # backend and with newer ones that choose it by a variable. Both choices are Cyrus, which has all calendars.
        **{f"{name}_BACKEND": f"http://{proxy_inner.CYRUS}" for name in _CYRUS},
        **{f"{name}_PATH": "" for name in _CYRUS},
        "COLLABORA_BACKEND": proxy_inner.url(topology.COLLABORA),
        "WEBMAIL_PATH": "/webmail",
        "SIEVE_BACKEND": topology.IMAP.at("sieve"),
    }
