"""The proxy, run for real: our entry script and configuration, nginx, and backends that say how they were asked.

The image's part is the lab's stand-in for it (tests/lab/images/recipes/proxy), which has the image's location table.
"""

from __future__ import annotations

import hashlib
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from components import entry, proxy_inner
from tests.support.deploy import Deployment
from tests.support.sandbox import PATIENCE, Sandbox, wait_for
from tests.support.self_signed import self_signed

RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
RECIPE = RECIPES / "proxy/rootfs"
GENERATIONS = ("proxy", "proxy-b")
"""Recipes of the two generations of Kolab's images."""
EITHER = [GENERATIONS[0], pytest.param(GENERATIONS[1], marks=pytest.mark.thorough)]
"""Parameters of a fixture for both; the second time takes as long as the first."""
MODULES = ("ngx_mail_module.so", "ngx_stream_module.so")
PACKAGES = "nginx-light libnginx-mod-mail libnginx-mod-stream"
BACKENDS = {
    "webapp": 8000,
    "roundcube": 8080,
    "imap": 11080,
    "collabora": 9980,
    "meet": 12080,
    "prometheus": 9090,
    "alertmanager": 9093,
    "victorialogs": 9428,
}
LOCKED = "Basic bG9ja2VkOm91dA=="
INNER = tuple(proxy_inner.port(backend) for backend in proxy_inner.BACKENDS)
LISTENING = (*INNER, 6080, 6081, 6443, 6143, 6144, 6190, 6465, 6587, 6993, 4190)


def nginx_modules() -> Path:
    """The folder of nginx' modules, or a skipped test that says what to install."""
    folders = [Path(f"/usr/{lib}/nginx/modules") for lib in ("lib", "lib64")]
    for folder in folders:
        if shutil.which("nginx", path="/usr/sbin:/usr/bin") and all((folder / m).exists() for m in MODULES):
            return folder
    pytest.skip(f"nginx is not installed: apt-get install --no-install-recommends {PACKAGES}")


@dataclass(frozen=True)
class Answer:
    """What a client of the proxy sees."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def asked(self) -> dict[str, object]:
        """How the backend was asked: its name, the path, the headers."""
        return dict(json.loads(self.body))


@dataclass
class Proxy:
    """A running proxy."""

    sandbox: Sandbox
    website: str
    asked: list[Mapping[str, object]]
    """Every request that a backend has had."""
    answering: threading.Event
    """While it is not set, backends are asked and say nothing."""
    more: dict[str, str]
    """Headers that every answer of a backend has besides."""

    def get(
        self,
        path: str,
        *,
        host: str | None = None,
        headers: Mapping[str, str] | None = None,
        port: int = 6443,
        body: bytes | None = None,
        method: str = "",
    ) -> Answer:
        """One request as a client on the Internet makes it; a `body` is sent with PUT unless another method is named."""
        where = ("127.0.0.1", self.sandbox.port(port))
        if port == 6443:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                *where, context=unverified(), timeout=PATIENCE
            )
        else:
            connection = http.client.HTTPConnection(*where, timeout=PATIENCE)
        sent = {"Host": host or self.website, **(headers or {})}
        try:
            connection.request(method or ("PUT" if body else "GET"), path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


def raw_request(proxy: Proxy, lines: Sequence[str], *, port: int = 6443) -> Answer:
    """A request exactly as it is written: http.client would put its headers in order and its path right."""
    plain = socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), timeout=PATIENCE)
    with unverified().wrap_socket(plain) as connection:
        connection.sendall(("\r\n".join([*lines, "", ""])).encode("latin-1"))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())


def unverified() -> ssl.SSLContext:
    """TLS with whatever certificate."""
    # Not the default one: that reads the machine's authorities, which takes longer than all the rest.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def certificate(name: str) -> tuple[str, str]:
    """A self-signed certificate and its key, as PEM."""
    return self_signed(name, days=1)


def init_of(generation: str) -> str:
    """What the image of a generation does at its start."""
    return (RECIPES / generation / "rootfs/init.sh").read_text()


def prepare(sandbox: Sandbox, stack: Deployment, init: str = "") -> dict[str, str]:
    """Puts image and configuration of the proxy into the sandbox; `init` in place of generation A's. Returns its environment."""
    modules = nginx_modules()
    for port in (*LISTENING, *BACKENDS.values()):
        sandbox.port(port)
    for command in ("contract-check", "chown"):
        sandbox.command(command)
    sandbox.command("nginx", 'PATH=/usr/sbin:/usr/bin exec nginx -c /etc/nginx/nginx.conf "$@"')
    sandbox.command("sleep", "exec /bin/sleep 0.1")
    sandbox.put("/init.sh", init or init_of("proxy"))
    sandbox.put("/etc/nginx/nginx.conf", "")
    sandbox.put("/etc/nginx/mime.types", "types { text/html html; }\n")
    sandbox.put("/etc/nginx/conf.d/ssl.conf", (RECIPE / "etc/nginx/conf.d/ssl.conf").read_text())
    # nginx of this machine would write into its own folders, and as a user who may not read this one.
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    sandbox.put("/etc/nginx/conf.d/test.conf", "".join(f"{each}_temp_path /tmp/{each};\n" for each in kinds))
    load = "".join(f"load_module {modules / each};\n" for each in MODULES)
    user = "user root;\n" if os.getuid() == 0 else ""
    (sandbox.root / "usr/share/nginx/modules").mkdir(parents=True)
    (sandbox.root / "usr/share/nginx/modules/all.conf").write_text(load + user)
    sandbox.mount(entry.PATH, stack.folder("proxy", "proxy", entry.PATH))
    workload = stack.workload("proxy")
    for path in ("/etc/nginx/conf.d/kolab.conf", "/etc/nginx/default.d/kolab.conf"):
        sandbox.put(path, nearby(stack.file("proxy", "proxy", path)))
    mounted = {each["mountPath"] for each in workload.container("proxy")["volumeMounts"]}
    for folder, file in (("/kolab/mta-sts", "mta-sts.txt"), ("/kolab/users", "htpasswd")):
        if folder in mounted:
            text = stack.file("proxy", "proxy", f"{folder}/{file}")
            sandbox.put(f"{folder}/{file}", "").write_bytes(text.encode())
    renew(sandbox, "first.example")
    return {key: nearby(value) for key, value in workload.env("proxy").items()}


def renew(sandbox: Sandbox, name: str, folder: str = "/kolab/certificate") -> None:
    """Puts a new certificate where the kubelet would."""
    for file, text in zip(("tls.crt", "tls.key"), certificate(name), strict=True):
        sandbox.renew(f"{folder}/{file}", text)


def nearby(text: str) -> str:
    """`text` with the names of backends as addresses of this machine."""
    return re.sub(rf"\b({'|'.join(BACKENDS)}):(?=\d)", "127.0.0.1:", text)


@contextmanager
def running(sandbox: Sandbox, stack: Deployment, init: str = "") -> Iterator[Proxy]:
    """Starts backends and the proxy before them; `init` in place of generation A's."""
    environment = prepare(sandbox, stack, init)
    script = stack.file("proxy", "proxy", f"{entry.PATH}/entry.sh")
    with ExitStack() as servers:
        asked: list[Mapping[str, object]] = []
        answering = threading.Event()
        answering.set()
        more: dict[str, str] = {}
        for name, port in BACKENDS.items():
            server = Backend(("127.0.0.1", sandbox.port(port)), name, asked, answering, more)
            servers.enter_context(server)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            servers.callback(server.shutdown)
        with sandbox.start(script, env=environment) as process:
            # A look at a configuration opens the ports as well, and leaves the file of the process's number empty.
            number = sandbox.path("/run/nginx.pid")
            wait_for(lambda: (number.exists() and number.read_text()) or process.poll() is not None)
            assert process.poll() is None, sandbox.err
            yield Proxy(sandbox, environment["APP_WEBSITE_DOMAIN"], asked, answering, more)
            answering.set()


class Backend(http.server.ThreadingHTTPServer):
    """Says how it was asked."""

    def __init__(
        self,
        where: tuple[str, int],
        name: str,
        asked: list[Mapping[str, object]] | None = None,
        answering: threading.Event | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(where, _Answers)
        self.name = name
        self.more = more if more is not None else {}
        self.asked = asked if asked is not None else []
        self.answering = answering or threading.Event()
        if answering is None:
            self.answering.set()


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"] or 0))
        assert isinstance(self.server, Backend)
        asked: dict[str, object] = {
            "backend": self.server.name,
            "method": self.command,
            "body": hashlib.sha256(sent).hexdigest(),
            "path": self.path,
            "headers": dict(self.headers),
            # A dict keeps one of several headers of a name; applications take the first or the last.
            "pairs": [[name.lower(), value] for name, value in self.headers.items()],
        }
        self.server.asked.append(asked)
        self.server.answering.wait(PATIENCE)
        body = json.dumps(asked).encode()
        # nginx asks whether somebody may ask for calendars; LOCKED may not.
        self.send_response(403 if self.headers["Authorization"] == LOCKED else 200)
        # As Cyrus does: a port of its own, which only the cluster knows.
        self.send_header("Alt-Svc", 'h2c=":11080"')
        for name, value in self.server.more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_PUT()

    def do_POST(self) -> None:
        self.do_PUT()

    def do_REPORT(self) -> None:
        self.do_PUT()

    def log_message(self, *_: object) -> None:
        """Quiet."""
