"""HTTP as the real application answers it: which path, for which Host, with which status."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pymysql

from standin import accounts, client, discovery, hooks
from standin.hooks import Answer, as_json

_INTERNAL = re.compile(
    r"/api/webhooks/(nginx|nginx-roundcube|nginx-httpauth|cyrus-sasl|metrics|policy/.+)/?$"
)
_AUTODISCOVER = "/autodiscover/autodiscover.xml"
_AUTOCONFIG = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
_PAGE = "<!DOCTYPE html><title>{}</title><p>Lab stand-in for Kolab's web application: {}"
_NOT_FOUND = Answer(404, _PAGE.format("404", "not found").encode())


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "swoole-http-server"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > int(os.environ.get("SWOOLE_PACKAGE_MAX_LENGTH") or 10 * 1024 * 1024):
            # Swoole drops the connection; the mail filter then tries again later.
            self.close_connection = True
            self._send(Answer(413))
            return
        self._answer(self.rfile.read(length))

    def _answer(self, body: bytes) -> None:
        try:
            answer = self._route(body)
        except (OSError, pymysql.err.Error) as error:
            answer = as_json({"status": "error", "message": str(error)}, 500)
        self._send(answer)

    def _route(self, body: bytes) -> Answer:
        address = urlsplit(self.path)
        path, query = address.path, parse_qs(address.query)
        if _INTERNAL.match(path):
            return self._internal(path.rstrip("/"), body) if self._services() else _NOT_FOUND
        if path.startswith("/api/"):
            return self._api(path, body)
        if path.lower() == _AUTODISCOVER:
            found = discovery.microsoft(self._host(), body) if self.command == "POST" else None
            return Answer(200, found, "application/xml") if found else _NOT_FOUND
        if path in _AUTOCONFIG:
            user = query.get("emailaddress", [""])[0]
            return Answer(200, discovery.mozilla(self._host(), user), "application/xml")
        return self._page(path)

    def _page(self, path: str) -> Answer:
        if path == "/.well-known/mta-sts.txt":
            domain = os.environ["APP_DOMAIN"]
            default = f"version: STSv1\nmode: enforce\nmx: {domain}\nmax_age: 604800\n"
            return Answer(200, (os.environ.get("MTA_STS") or default).encode(), "text/plain; charset=utf-8")
        # The gate of the real dashboard lets everybody in, too.
        title = "Horizon" if re.match(r"/horizon(/|$)", path) else "Kolab"
        return Answer(200, _PAGE.format(title, path).encode())

    def _api(self, path: str, body: bytes) -> Answer:
        if path in ("/api/health/liveness", "/api/health/readiness"):
            return as_json("success")
        if path == "/api/webhooks/meet":
            return self._meet()
        if path == "/api/auth/login" and self.command == "POST":
            given = _object(body)
            if accounts.login(str(given.get("email", "")), str(given.get("password", ""))):
                return as_json({"status": "success", "email": given["email"]})
            return as_json({"status": "error", "message": "Invalid username or password."}, 401)
        if path == "/api/lab/client":
            # The stand-in's own: what the application believes about its caller.
            return as_json({"client": self._client(), "peer": self.client_address[0], "host": self._host()})
        return as_json({"status": "error", "message": "Not Found"}, 404)

    def _meet(self) -> Answer:
        if self._host() != os.environ.get("APP_WEBSITE_DOMAIN"):
            return _NOT_FOUND
        right = self.headers.get("X-Auth-Token") == os.environ.get("MEET_WEBHOOK_TOKEN")
        return as_json({}) if right else Answer(403, b"Unauthorized")

    def _services(self) -> bool:
        allowed = os.environ.get("APP_SERVICES_ALLOWED_DOMAINS", "webapp,kolab").split(",")
        on = os.environ.get("APP_WITH_SERVICES", "").lower() in ("1", "true")
        return on and self._host() in [name.strip() for name in allowed]

    def _internal(self, path: str, body: bytes) -> Answer:
        headers = dict(self.headers)
        known: dict[tuple[str, str], Callable[[], Answer]] = {
            ("nginx", "GET"): lambda: hooks.nginx(headers),
            ("nginx-roundcube", "GET"): lambda: hooks.nginx(headers, client="Proxy-Protocol-Addr"),
            ("nginx-httpauth", "GET"): lambda: hooks.httpauth(headers),
            ("cyrus-sasl", "POST"): lambda: hooks.cyrus_sasl(body),
            ("metrics", "GET"): hooks.metrics,
            ("policy/spf", "POST"): lambda: hooks.spf(hooks.form_of(body)),
            ("policy/greylist", "POST"): lambda: hooks.greylist(hooks.form_of(body)),
            ("policy/submission", "POST"): lambda: hooks.submission(hooks.form_of(body)),
            # Nothing to change.
            ("policy/mail/filter", "POST"): lambda: Answer(204),
        }
        hook = known.get((path.removeprefix("/api/webhooks/"), self.command))
        return hook() if hook else _NOT_FOUND

    def _host(self) -> str:
        return (self.headers.get("Host") or "").rpartition(":")[0] or (self.headers.get("Host") or "")

    def _client(self) -> str:
        return client.address(self.client_address[0], self.headers)  # type: ignore[arg-type]

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        if answer.status != 204:
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(answer.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line of JSON, without what came as a secret."""
        line = {"client": self._client(), "peer": self.client_address[0], "host": self._host()}
        mail = self.headers.get("Client-IP")
        line |= {"mail_client": mail} if mail else {}
        print(json.dumps(line | {"request": f"{self.command} {self.path}", "status": int(code)}), flush=True)


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Server(ThreadingHTTPServer):
    """Threads instead of Swoole's workers."""

    daemon_threads = True
    request_queue_size = 128


def serve(host: str, port: int = 8000) -> None:
    """Answer until killed."""
    with Server((host, port), Handler) as server:
        print(f"Server running on http://{host}:{port}", flush=True)
        server.serve_forever()
