"""nginx' second half: servers on its own loopback, between the image's location table and the backends.

The image's locations set a part of the headers by which backends know the client, each another part, and what they do
not set is the client's own word. nginx has no place that all of them share. So each backend that the image is told of is
one of these servers, which says everything about the client anew: the address is what the image's half has written into
X-Real-IP where it writes one, else nothing. That holds for whatever locations an image has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model import topology

_FIRST_PORT = 6180
BACKENDS = (topology.WEBAPP, topology.ROUNDCUBE, topology.COLLABORA, topology.MEET)
"""Whom the image's location table passes on to, but for Cyrus, which believes no header about its client."""
TOLD = (topology.WEBAPP, topology.ROUNDCUBE)
"""Backends whose locations all write X-Real-IP (upstream: docker/proxy/rootfs/init.sh); others hear no address at all."""


@dataclass(frozen=True, kw_only=True)
class Logins:
    """How often the application is asked about a password, while people log in by IMAP and submission."""

    minute: int
    """By one client in a minute, and as many more at once."""
    each: int
    """By one client at the same time: the application checks passwords one after the other, so more would only make
    everybody else wait."""
    together: int
    """By all clients of this proxy at the same time: what Postfix asks about mail is answered by the same workers."""


_QUEUE_SECONDS = 30
"""Within which a client's login is asked about, however many of its own are before it. Mail programs wait longer."""
_BRAKE_SECONDS = 3
"""For which a client that asks too much waits for its answer."""
_COME_AGAIN = f"""\
add_header Auth-Status "[UNAVAILABLE] Too many logins at the moment, try again later" always;
    add_header Auth-Error-Code "454 4.7.0" always;
    add_header Auth-Wait {_BRAKE_SECONDS} always;
    return 204;"""
"""The password may be right: programs come again without asking people for another (RFC 5530, RFC 4954 section 6)."""


def port(backend: topology.Daemon) -> int:
    """Where the server for `backend` listens, on the loopback of the pod alone."""
    return _FIRST_PORT + BACKENDS.index(backend)


def url(backend: topology.Daemon) -> str:
    """The backend as the image is told of it."""
    return f"http://127.0.0.1:{port(backend)}"


CYRUS = "kolab_cyrus"
"""Cyrus' HTTP as an upstream: newer images choose it by a variable, and nginx then knows no other name (no resolver)."""


def configuration(offered: Sequence[topology.Daemon], *, logins: Logins) -> str:
    """Servers for all backends; what is not `offered` is answered with 403."""
    head = f"""\
# A backend that is asked by way of the world hears no address of a client but the one that nginx itself has seen.
map $http_upgrade $kolab_connection {{
  default upgrade;
  "" "";
}}
# Who logs in by IMAP or submission: the mail half asks the application with this header of its own.
limit_req_zone $http_client_ip zone=kolab_mail_logins:10m rate={logins.minute}r/m;
# Many people behind one address, whose programs all come back at once, are asked about by turns.
limit_req_zone $http_client_ip zone=kolab_mail_turns:10m rate={-(-logins.minute // _QUEUE_SECONDS)}r/s;
limit_conn_zone $http_client_ip zone=kolab_mail_each:10m;
limit_conn_zone everybody zone=kolab_mail_together:1m;
upstream {CYRUS} {{
  server {topology.IMAP.at("http")};
}}
"""
    return head + "".join(_server(backend, backend in offered, logins) for backend in BACKENDS)


def _server(backend: topology.Daemon, offered: bool, logins: Logins) -> str:
    address = "$http_x_real_ip" if backend in TOLD else '""'
    hooks = ""
    if backend == topology.WEBAPP:
        # The application answers hooks under its name inside alone.
        hooks = f"""\
  location = /api/webhooks/nginx {{
    limit_req zone=kolab_mail_logins burst={logins.minute} nodelay;
    limit_req zone=kolab_mail_turns burst={logins.minute};
    limit_req_status 429;
    limit_conn kolab_mail_each {logins.each};
    limit_conn kolab_mail_together {logins.together};
    limit_conn_status 429;
    error_page 429 @kolab_come_again;
    {_headers('""', host=backend.name)}
    proxy_pass {backend.url("http")};
  }}
  location @kolab_come_again {{
    {_COME_AGAIN}
  }}
  # Newer images ask this before each request for calendars and contacts: second factor, and from where one may log in.
  location = /api/webhooks/nginx-httpauth {{
    {_headers(address, host=backend.name)}
    proxy_pass {backend.url("http")};
  }}
"""
    answer = f"proxy_pass {backend.url('http')};" if offered else "return 403;"
    return f"""\
server {{
  listen 127.0.0.1:{port(backend)};
  access_log off;
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_buffering off;
  proxy_http_version 1.1;
  proxy_read_timeout 36000s;
  proxy_send_timeout 36000s;
{hooks}  location / {{
    {_headers(address)}
    {answer}
  }}
}}
"""


def _headers(address: str, *, host: str = "$http_host") -> str:
    """All that a backend may believe about the client. Each line replaces every header of that name, however many came."""
    names = ("X-Real-IP", "X-Forwarded-For", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP")
    lines = [
        f"proxy_set_header Host {host};",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $kolab_connection;",
        'proxy_set_header Forwarded "";',
        *(f"proxy_set_header {name} {address};" for name in names[:3]),
        *(f'proxy_set_header {name} "";' for name in names[3:]),
    ]
    return "\n    ".join(lines)
