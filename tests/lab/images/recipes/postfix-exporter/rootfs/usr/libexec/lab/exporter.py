"""A stand-in for postfix_exporter: reads Postfix' real showq socket and shows the queue as upstream's metrics do.

showq sends attributes, each name and value ended by a NUL byte; an empty name ends a message.
"""

from __future__ import annotations

import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def messages(path: str) -> Iterator[dict[str, str]]:
    """Every message in the queue."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        content = b""
        while chunk := connection.recv(1 << 16):
            content += chunk
    message: dict[str, str] = {}
    fields = iter(content.split(b"\0"))
    for name in fields:
        if not name:
            if "queue_name" in message:
                yield message
            message = {}
            continue
        message.setdefault(name.decode(), next(fields, b"").decode(errors="replace"))


def metrics(path: str) -> str:
    """What Prometheus reads."""
    try:
        found = list(messages(path))
    except OSError as error:
        print(f"postfix_exporter: {path}: {error}", file=sys.stderr, flush=True)
        return f'postfix_up{{path="{path}"}} 0\n'
    lines = [f'postfix_up{{path="{path}"}} 1']
    now = time.time()
    for queue in ("active", "deferred", "hold", "incoming", "maildrop"):
        ages = [now - float(message.get("time", now)) for message in found if message["queue_name"] == queue]
        sizes = [int(message.get("size", 0)) for message in found if message["queue_name"] == queue]
        for name, values in (("message_age_seconds", ages), ("message_size_bytes", sizes)):
            metric = f"postfix_showq_{name}"
            lines.append(f'{metric}_bucket{{queue="{queue}",le="+Inf"}} {len(values)}')
            lines.append(f'{metric}_sum{{queue="{queue}"}} {sum(values):.0f}')
            lines.append(f'{metric}_count{{queue="{queue}"}} {len(values)}')
    counted = Counter(message["queue_name"] for message in found)
    lines += [f'postfix_showq_queue_depth{{queue="{queue}"}} {number}' for queue, number in counted.items()]
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    """The exporter."""

    path_of_showq = "/var/spool/postfix/public/showq"

    def do_GET(self) -> None:
        self.send_response(200)
        # Prometheus reads nothing without it.
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        if self.path == "/metrics":
            self.wfile.write(metrics(self.path_of_showq).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main(arguments: list[str]) -> int:
    """Serve until killed."""
    flags = dict(argument.lstrip("-").split("=", 1) for argument in arguments if "=" in argument)
    host, _, port = flags.get("web.listen-address", ":9154").rpartition(":")
    Handler.path_of_showq = flags.get("postfix.showq_path", Handler.path_of_showq)
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
