"""nginx: HTTPS, IMAP and submission for the outside world, and the gate in front of every web application."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import KOLAB_USER, Build, Container, Probe, from_config, from_secret
from components.daemon import DaemonComponent, Site
from components.pods import Pod, Public
from model import topology
from model.accounts import OPERATOR

_CERTIFICATE = "/kolab/certificate"
_POLICY = "/kolab/mta-sts"
_USERS = "/kolab/users"


@dataclass(frozen=True, kw_only=True)
class Offered:
    """Parts of the web side that a stack may do without."""

    meet: bool
    office: bool
    activesync: bool


@dataclass(frozen=True, kw_only=True)
class ProxyArgs:
    """Inputs of Proxy. `body_limit` is in bytes; `policy` is the MTA-STS policy, None while there is none.

    Without `operator_password` there are no monitoring pages.
    """

    build: Build
    website: str
    hosts: Sequence[str]
    offered: Offered
    policy: str | None
    body_limit: int
    trusted: Sequence[str]
    certificate: pulumi.Input[str]
    operator_password: pulumi.Input[str] | None
    replicas: int
    public: Public


class Proxy(DaemonComponent):
    """The proxy. Reached at topology.PROXY from inside, at its public address from outside."""

    def __init__(
        self, name: str, site: Site, args: ProxyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.PROXY, name, site, opts)
        scripts = self.scripts("proxy")
        pages = {"http.conf": http_configuration(args), "server.conf": server_configuration(args)}
        config = self.config("config", pages)
        mounts = [
            scripts,
            from_config("config", "/etc/nginx/conf.d/kolab.conf", config, file="http.conf"),
            from_config("config", "/etc/nginx/default.d/kolab.conf", config, file="server.conf"),
            from_secret("certificate", _CERTIFICATE, args.certificate),
        ]
        if args.policy is not None:
            policy = self.config("policy", {"mta-sts.txt": args.policy})
            mounts.append(from_config("policy", _POLICY, policy))
        if args.operator_password is not None:
            users = self.secret("users", {"htpasswd": htpasswd(args.operator_password, site.salt)})
            mounts.append(from_secret("users", _USERS, users))
        self.serve()
        # The server turns foreign Host headers away, those of probes included.
        health = Probe(http="/health", headers={"Host": args.website})
        container = Container(
            name="proxy",
            build=args.build,
            privileges=KOLAB_USER,
            command=entry.COMMAND,
            env=_environment(args),
            mounts=mounts,
            ports=self.daemon.ports,
            host_ports=args.public.host_ports,
            startup=Probe(http="/health", headers={"Host": args.website}).until_up(600),
            readiness=health,
            liveness=Probe(http="/health", headers={"Host": args.website}, period=20, timeout=10, failures=6),
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
        self.deployment(run, replicas=args.replicas, alone=bool(args.public.host_ports))
        if args.replicas > 1:
            self.disruption_budget()
        self.register_outputs({})


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


def _environment(args: ProxyArgs) -> dict[str, str]:
    # nginx refuses to start if a backend's name does not resolve, also for parts that are switched off.
    webapp = topology.WEBAPP.url("http")
    return {
        "APP_WEBSITE_DOMAIN": args.website,
        "SSL_CERTIFICATE": f"{_CERTIFICATE}/tls.crt",
        "SSL_CERTIFICATE_KEY": f"{_CERTIFICATE}/tls.key",
        "WEBAPP_BACKEND": webapp,
        "MEET_BACKEND": topology.MEET.url("http") if args.offered.meet else webapp,
        "ROUNDCUBE_BACKEND": topology.ROUNDCUBE.url("http"),
        "DAV_BACKEND": topology.IMAP.url("http"),
        "DAV_PATH": "/dav",
        "FREEBUSY_BACKEND": topology.IMAP.url("http"),
        "FREEBUSY_PATH": "/freebusy",
        "COLLABORA_BACKEND": topology.COLLABORA.url("http") if args.offered.office else webapp,
        "WEBMAIL_PATH": "/webmail",
        "SIEVE_BACKEND": topology.IMAP.at("sieve"),
    }


def http_configuration(args: ProxyArgs) -> str:
    """conf.d/kolab.conf: what holds for all of HTTP, and the plain server that only redirects."""
    hosts = "".join(f'  "{host}" 1;\n' for host in args.hosts)
    trusted = "".join(f"set_real_ip_from {network};\n" for network in args.trusted)
    activesync = "" if args.offered.activesync else '  "~*^/Microsoft-Server-ActiveSync(/|$)" 1;\n'
    real_ip = f"{trusted}real_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n" if trusted else ""
    return f"""\
client_max_body_size {args.body_limit};
server_tokens off;
# Cyrus offers its own port of the cluster as an alternative; nobody outside could reach it (RFC 7838).
proxy_hide_header Alt-Svc;
# Redirects without a host: nginx would name the port that it listens on in here.
absolute_redirect off;
{real_ip}# Hosts of this stack; anything else is somebody probing, or reaching for the internal hooks by name.
map $host $kolab_host {{
  default 0;
{hosts}}}
# Internal hooks (a password oracle among them) and Horizon, whose gate lets everybody in.
map $uri $kolab_closed {{
  default 0;
  "~*^/api/webhooks/(?!meet(/|$)|payment/)" 1;
  "~*^/horizon(/|$)" 1;
{activesync}}}
# The web application believes this header from its trusted proxy, and nobody on the way sets it.
map $http_x_client_ip $kolab_spoofed {{
  default 1;
  "" 0;
}}
server {{
  listen {topology.PROXY.port("redirect").number} default_server;
  location / {{ return 301 https://$host$request_uri; }}
}}
"""


def server_configuration(args: ProxyArgs) -> str:
    """default.d/kolab.conf: what holds inside the one server of the image."""
    # Codes other than 404: the image would fetch its page for that from the web application.
    parts = [
        "if ($kolab_host = 0) { return 421; }",
        "if ($kolab_closed) { return 403; }",
        "if ($kolab_spoofed) { return 400; }",
        "location ^~ /roundcubemail { rewrite ^/roundcubemail(.*)$ /webmail$1 permanent; }",
    ]
    if args.policy is None:
        # The application's own default policy names the wrong MX and says enforce.
        parts.append("location = /.well-known/mta-sts.txt { return 410; }")
    else:
        parts.append(
            f"location = /.well-known/mta-sts.txt {{ default_type text/plain; alias {_POLICY}/mta-sts.txt; }}"
        )
    if args.operator_password is not None:
        for path, daemon in (
            ("/prometheus", topology.PROMETHEUS),
            ("/alertmanager", topology.ALERTMANAGER),
            ("/select", topology.LOGS),
        ):
            parts.append(
                f'location ^~ {path} {{ auth_basic "monitoring"; auth_basic_user_file {_USERS}/htpasswd;'
                f' proxy_set_header Host $host; proxy_set_header Authorization ""; proxy_pass {daemon.url("http")}; }}'
            )
    return "\n".join(parts) + "\n"
