"""A stand-in for VictoriaLogs: takes JSON lines, keeps them in one file, gives those back that hold all words asked for.

Flags are VictoriaLogs' own; -storageDataPath has to be writable. There is no LogsQL: a query is words, or *.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, urlsplit

_LOCK = Lock()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    store: Path

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        address = urlsplit(self.path)
        if address.path == "/health":
            self._send(200, b"OK")
        elif address.path == "/insert/jsonline":
            with _LOCK, self.store.open("ab") as store:
                store.write(body if body.endswith(b"\n") or not body else body + b"\n")
            self._send(200)
        elif address.path == "/select/logsql/query":
            asked = parse_qs(address.query).get("query") or parse_qs(body.decode()).get("query") or ["*"]
            self._send(200, self._lines(asked[0]))
        elif address.path.startswith("/select/"):
            self._send(200, b"<title>Lab stand-in for VictoriaLogs</title>")
        elif address.path == "/metrics":
            self._send(200, f"vl_rows_ingested_total {self._count()}\n".encode())
        else:
            self._send(404)

    def _lines(self, query: str) -> bytes:
        words = [word.encode() for word in query.split() if word != "*"]
        lines = self.store.read_bytes().splitlines(keepends=True) if self.store.exists() else []
        return b"".join(line for line in lines if all(word in line for word in words))

    def _count(self) -> int:
        return self._lines("*").count(b"\n")

    def _send(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: logs about logs would feed themselves."""


def main(arguments: list[str]) -> int:
    """Serve until killed."""
    flags = dict(argument.lstrip("-").split("=", 1) for argument in arguments if "=" in argument)
    host, _, port = flags.get("httpListenAddr", ":9428").rpartition(":")
    folder = Path(flags.get("storageDataPath", "victoria-logs-data"))
    folder.mkdir(parents=True, exist_ok=True)
    Handler.store = folder / "lines"
    Handler.store.touch()
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
