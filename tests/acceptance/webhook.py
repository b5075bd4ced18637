"""Whoever is told of alerts: takes what Alertmanager posts, and needs nothing of the stack.

`python -m tests.acceptance.webhook ADDRESS FILE` says `listening` once it does, and appends each alert as a line of JSON,
with the path that it came to. It speaks TLS, on that port, where `identity.pem` lies beside FILE.
"""

from __future__ import annotations

import http.server
import json
import ssl
import sys
from pathlib import Path

HOST = "hooks.provider.test"
"""A name under which the world knows it."""


class _Hook(http.server.BaseHTTPRequestHandler):
    file: Path

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.file.open("a") as notes:
            notes.writelines(f"{json.dumps({**alert, 'path': self.path})}\n" for alert in told["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main(address: str, file: str) -> None:
    """Serves until it is ended."""
    _Hook.file = Path(file)
    identity = _Hook.file.with_name("identity.pem")
    with http.server.ThreadingHTTPServer((address, 443 if identity.exists() else 80), _Hook) as server:
        if identity.exists():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print("listening", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
