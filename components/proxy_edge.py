"""nginx' first half, where the image lets us add to it: who is answered at all, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model import topology


@dataclass(frozen=True, kw_only=True)
class Offered:
    """Parts of the web side that a stack may do without."""

    meet: bool
    office: bool
    activesync: bool


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """The monitoring pages: the host that has them, and whether it has nothing else."""

    host: str
    alone: bool
    allowed: Sequence[str] | None
    """Networks that may see them; None for everybody who has the password."""
    own: bool = True
    """Whether Prometheus and Alertmanager are the stack's; else there are logs alone."""

    @property
    def pages(self) -> Sequence[tuple[str, topology.Daemon]]:
        """Path -> what answers there."""
        return [(path, daemon) for path, daemon in _MONITORED if self.own or daemon == topology.LOGS]


@dataclass(frozen=True, kw_only=True)
class Pages:
    """What the proxy answers. `body_limit` is in bytes; `web_logins` are those of one client a minute, and so many at once;
    `programs` are requests of one client a minute that bring a password."""

    website: str
    hosts: Sequence[str]
    offered: Offered
    body_limit: int
    trusted: Sequence[str]
    doors: Mapping[str, Sequence[str]]
    """Host that is not for everybody -> networks that may see it."""
    web_logins: int
    web_logins_at_once: int
    programs: int
    proven: Sequence[str] = ()
    """Hosts for which certificate authorities find an answer on port 80."""


_UNFRAMED = "add_header X-Frame-Options DENY always; add_header Content-Security-Policy \"frame-ancestors 'none'\" always;"
"""Alertmanager says neither, and silences alerts by a click."""
_MONITORED = (
    ("/prometheus", topology.PROMETHEUS),
    ("/alertmanager", topology.ALERTMANAGER),
    ("/select", topology.LOGS),
)
SOLVERS = "/tmp/kolab-solvers.conf"
"""Where entry.sh writes whom nginx asks for the pods of cert-manager, and by which name."""
PROOFS = "/tmp/kolab-proofs"
"""Where nginx keeps what it has found in those pods."""
MAINTENANCE = "/tmp/kolab-maintenance"
"""While this file is there, people are told to come back later. `./kolab maintenance` makes it and takes it away."""
_BACK_SOON = (
    "<!DOCTYPE html><title>Maintenance</title><h1>We are working on the mail server</h1>"
    "<p>It will be back soon. Mail that is sent to you meanwhile waits and is not lost.</p>"
)
_OFFICE_CLOSED = "|".join(
    (
        "convert-to",
        "adminws",
        "admin",
        "getmetrics",
        "extract-",
        "transform-",
        "get-thumbnail",
        "render-search-result",
    )
)
"""What coolwsd does for whoever asks, without a document (Collabora Online: wsd/ClientRequestDispatcher.cpp)."""


def http_configuration(pages: Pages, monitoring: Monitoring | None) -> str:
    """conf.d/kolab.conf: what holds for all of HTTP, and the plain server that only redirects."""
    hosts = "".join(f"  {key(host)} 1;\n" for host in pages.hosts)
    # Names of mail servers have no pages, but may have to be proven.
    hosts += "".join(f"  {key(host)} 2;\n" for host in pages.proven if host not in pages.hosts)
    trusted = "".join(f"set_real_ip_from {network};\n" for network in pages.trusted)
    activesync = "" if pages.offered.activesync else '  "~*^/Microsoft-Server-ActiveSync(/|$)" 1;\n'
    real_ip = f"{trusted}real_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n" if trusted else ""
    return f"""\
client_max_body_size {pages.body_limit};
server_tokens off;
{_long_website(pages.website)}{_proofs(pages)}# Cyrus offers its own port of the cluster as an alternative; nobody outside could reach it (RFC 7838).
proxy_hide_header Alt-Svc;
# Redirects without a host: nginx would name the port that it listens on in here.
absolute_redirect off;
{real_ip}# Hosts of this stack; anything else is somebody probing, or reaching for the internal hooks by name.
map $host $kolab_host {{
  default 0;
{hosts}}}
{_doors(pages.doors)}# Internal hooks (a password oracle among them), Horizon, whose gate lets everybody in, the front controller by its name,
# by which the application would find both, and what Collabora does for anybody.
map $uri $kolab_closed {{
  default 0;
  "~*^/api/webhooks/(?!meet(/|$)|payment/)" 1;
  "~*^/api/webhooks$" 1;
  "~*^/horizon([/;.]|$)" 1;
  "~*^/index\\.php([/;.]|$)" 1;
  "~*^/(cool|lool)/({_OFFICE_CLOSED})" 1;
  "~*^/browser/([^/]+/)*admin([/.]|$)" 1;
{activesync}}}
# What is judged above is the path as nginx reads it; what is passed on is the path as it came. Where the two may differ
# nothing is passed on: dot segments, backslashes, and slashes in disguise outside of what names files and calendars.
map $request_uri $kolab_crooked {{
  default 0;
  "~^[^?]*(/|%2[fF])(\\.|%2[eE])(\\.|%2[eE])?(/|%2[fF]|[?;]|$)" 1;
  "~^[^?]*(\\\\\\\\|%5[cC])" 1;
  "~*^/(?!dav/|freebusy/|webmail/|chwala/|cool/|lool/)[^?]*%2f" 1;
}}
{_monitoring_host(monitoring)}# Password guesses: what logs in by the web counts, everything else does not.
map "$request_method $uri $arg__task" $kolab_login {{
  default "";
  "~*^POST /api/auth/(?!refresh|logout|info)" $binary_remote_addr;
  "~*^POST /oauth/" $binary_remote_addr;
  "~*^POST /webmail/[^ ]* login$" $binary_remote_addr;
}}
# Calendars, contacts and phones send their password each time, so a guess looks like work: the whole is paced.
map $http_authorization $kolab_program {{
  default "";
  "~*^Basic" $binary_remote_addr;
}}
# Maintenance: the kubelet's probe and policies that senders have to read are answered all the same.
map $uri $kolab_rests {{
  default 1;
  "/health" 0;
  "~^/\\.well-known/mta-sts\\.txt$" 0;
}}
limit_req_zone $kolab_login zone=kolab_web_logins:10m rate={pages.web_logins}r/m;
limit_req_zone $kolab_program zone=kolab_programs:10m rate={pages.programs}r/m;
limit_conn_zone $kolab_login zone=kolab_web_each:10m;
server {{
  listen {topology.PROXY.port("redirect").number} default_server;
  if ($kolab_host = 0) {{ return 421; }}
  location / {{ {_without_pages(pages)}return 301 https://$host$request_uri; }}
{_challenges(pages)}}}
"""


def server_configuration(pages: Pages, monitoring: Monitoring | None, *, users: str) -> str:
    """default.d/kolab.conf: what holds inside the one server of the image. `users` is a file."""
    # Codes other than 404: the image would fetch its page for that from the web application.
    parts = [
        f"if ($kolab_host {'!= 1' if pages.proven else '= 0'}) {{ return 421; }}",
        "if ($kolab_door = 0) { return 403; }",
        "if ($kolab_closed) { return 403; }",
        "if ($kolab_elsewhere) { return 403; }",
        "if ($kolab_crooked) { return 400; }",
        f"limit_req zone=kolab_web_logins burst={pages.web_logins} nodelay;",
        # Cyrus keeps a process busy for seconds with each wrong password, hence few at once.
        f"limit_req zone=kolab_programs burst={pages.programs} delay={pages.programs // 10};",
        "limit_req_status 429;",
        f"limit_conn kolab_web_each {pages.web_logins_at_once};",
        "limit_conn_status 429;",
        # Named locations, so that the code stays ours; programs try again by themselves.
        # First, since nginx warns of each request for which a variable has no value.
        "set $kolab_resting 0;",
        f"if (-f {MAINTENANCE}) {{ set $kolab_resting $kolab_rests; }}",
        "if ($kolab_resting) { return 503; }",
        "error_page 503 @kolab_maintenance;",
        f"location @kolab_maintenance {{ default_type text/html; add_header Retry-After 600 always; return 503 '{_BACK_SOON}'; }}",
        "location ^~ /roundcubemail { rewrite ^/roundcubemail(.*)$ /webmail$1 permanent; }",
    ]
    if monitoring is not None:
        gate = "".join(f" allow {network};" for network in monitoring.allowed or ())
        gate += " deny all;" if monitoring.allowed is not None else ""
        for path, daemon in monitoring.pages:
            parts.append(
                f'location ^~ {path} {{{gate} auth_basic "monitoring"; auth_basic_user_file {users};'
                f' proxy_set_header Host $host; proxy_set_header Authorization ""; {_UNFRAMED}'
                f" proxy_pass {daemon.url('http')}; }}"
            )
    return "\n".join(parts) + "\n"


def _without_pages(pages: Pages) -> str:
    return "if ($kolab_host = 2) { return 421; } " if pages.proven else ""


def _challenges(pages: Pages) -> str:
    """Where authorities find proof of a name: in one of the pods that cert-manager makes, each of which knows one answer and
    says 404 to every other question. Nothing but a token reaches them, and whatever they say else comes to nobody.

    DNS names a pod for seconds after it has gone, and policies drop what is sent there: with sixty at once there are a score of
    those, so none may take long. What is found once is kept: cert-manager looks several times, and then authorities do, for no
    longer than ten seconds (Let's Encrypt), from several places at once; whoever misses it then waits for an hour."""
    if not pages.proven:
        return ""
    return f"""\
  location /.well-known/acme-challenge/ {{ {_without_pages(pages)}return 404; }}
  location ~ ^/\\.well-known/acme-challenge/[A-Za-z0-9_-]+$ {{
    include {SOLVERS};
    limit_except GET {{ deny all; }}
    proxy_pass http://$kolab_solvers;
    proxy_set_header Host $host;
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_connect_timeout 250ms;
    proxy_read_timeout 2s;
    proxy_next_upstream error timeout http_404;
    proxy_next_upstream_timeout 8s;
    proxy_buffering on;
    proxy_no_cache 0;
    proxy_cache_bypass 0;
    proxy_cache kolab_proofs;
    proxy_cache_key $host$uri;
    proxy_cache_valid 200 10m;
    proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires;
    proxy_cache_lock on;
    proxy_cache_lock_timeout 8s;
    proxy_intercept_errors on;
    error_page 404 502 504 =404 @kolab_unproven;
  }}
  location @kolab_unproven {{ return 404; }}
"""


_HASHED = 40
"""Characters of a name that fit a bucket of nginx' default size, whatever the processor's cache line."""


def key(host: str) -> str:
    """A host as the key of a map. The image has a map of its own before ours, so the size of buckets is settled: names
    that would not fit one are expressions, which nginx keeps elsewhere."""
    return f'"{host}"' if len(host) <= _HASHED else f'"~*^{host.replace(".", chr(92) + ".")}$"'


def _proofs(pages: Pages) -> str:
    return (
        f"proxy_cache_path {PROOFS} keys_zone=kolab_proofs:1m max_size=8m use_temp_path=off;\n"
        if pages.proven
        else ""
    )


def _long_website(website: str) -> str:
    return "server_names_hash_bucket_size 512;\n" if len(website) > _HASHED else ""


def _doors(doors: Mapping[str, Sequence[str]]) -> str:
    """Hosts that are for some networks alone."""
    text, lines = "", ""
    for number, (host, networks) in enumerate(sorted(doors.items())):
        allowed = "".join(f"  {network} 1;\n" for network in networks)
        text += f"geo $kolab_door{number} {{\n  default 0;\n{allowed}}}\n"
        lines += f"  {key(host)} $kolab_door{number};\n"
    return f"{text}map $host $kolab_door {{\n  default 1;\n{lines}}}\n"


def _monitoring_host(monitoring: Monitoring | None) -> str:
    """With a host of their own, the monitoring pages are there and nowhere else, and nothing else is there."""
    lines = ""
    if monitoring is not None and monitoring.alone:
        host = monitoring.host.replace(".", "\\.")
        paths = f"({'|'.join(path.removeprefix('/') for path, _ in monitoring.pages)})"
        lines = f'  "~*^{host} /{paths}(/|$)" 0;\n  "~*^{host} " 1;\n  "~*^[^ ]+ /{paths}(/|$)" 1;\n'
    return f'map "$host $uri" $kolab_elsewhere {{\n  default 0;\n{lines}}}\n'
