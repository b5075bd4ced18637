"""A stand-in for Vector: follows the logs of this node's pods and posts them as JSON lines to the first `uri` of its configuration.

It runs no VRL, so nothing is redacted, parsed or counted by event: what a configuration does is for the real one to prove.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PODS = Path("/var/log/pods")
_LIMIT = 1 << 20


@dataclass
class Follower:
    """Where it has read to in each file, and what it has sent."""

    uri: str
    offsets: dict[Path, int] = field(default_factory=dict)
    sent: int = 0
    errors: int = 0

    def step(self) -> None:
        """Send what is new. What cannot be sent is read again."""
        for path in PODS.glob("*/*/*.log"):
            start = self.offsets.get(path, 0)
            if path.stat().st_size < start:
                start = 0
            with path.open("rb") as stream:
                stream.seek(start)
                chunk = stream.read(_LIMIT)
            chunk = chunk[: chunk.rfind(b"\n") + 1]
            if chunk and self._send(path, chunk):
                self.offsets[path] = start + len(chunk)

    def _send(self, path: Path, chunk: bytes) -> bool:
        namespace, pod, _ = path.parent.parent.name.split("_", 2)
        lines = [self._line(raw, namespace, pod, path.parent.name) for raw in chunk.splitlines()]
        try:
            # Of a form, which urllib would call it, the server would read its own parameters.
            kind = {"Content-Type": "application/x-ndjson"}
            request = urllib.request.Request(self.uri, "".join(lines).encode(), kind)
            urllib.request.urlopen(request, timeout=10).close()
        except OSError as error:
            self.errors += 1
            print(f"vector: {self.uri}: {error}", file=sys.stderr, flush=True)
            return False
        self.sent += len(lines)
        return True

    @staticmethod
    def _line(raw: bytes, namespace: str, pod: str, container: str) -> str:
        # CRI: time, stream, tag, text.
        at, _, _, text = [*raw.decode(errors="replace").split(" ", 3), "", "", ""][:4]
        fields = {"timestamp": at, "_msg": text, "pod_namespace": namespace, "pod_name": pod}
        return json.dumps(fields | {"container_name": container}) + "\n"


class Metrics(BaseHTTPRequestHandler):
    """The exporter."""

    follower: Follower

    def do_GET(self) -> None:
        body = f"vector_component_sent_events_total {self.follower.sent}\nvector_component_errors_total {self.follower.errors}\n"
        self.send_response(200 if self.path == "/metrics" else 404)
        # As the real one's; Prometheus reads nothing without it.
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main(arguments: list[str]) -> int:
    """vector --config FILE"""
    config = Path(arguments[arguments.index("--config") + 1]).read_text()
    uri = re.search(r"uri:\s*[\"']?([^\s\"']+)", config)
    address = re.search(r"address:\s*[\"']?[\d.]+:(\d+)", config)
    if not uri or not address:
        print("vector: the configuration names no sink with a uri, or no exporter address", file=sys.stderr)
        return 78
    follower = Metrics.follower = Follower(uri[1])
    server = ThreadingHTTPServer(("0.0.0.0", int(address[1])), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        try:
            follower.step()
        except OSError as error:
            print(f"vector: {error}", file=sys.stderr, flush=True)
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
