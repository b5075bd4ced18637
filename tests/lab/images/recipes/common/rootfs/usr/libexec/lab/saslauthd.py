"""A saslauthd with the one mechanism that Debian's lacks: httpform, which asks the web application.

Options and files are saslauthd's own: `-m` is the folder of the socket, /etc/saslauthd.conf says whom to ask. It
leaves at once when httpform_host or httpform_port has no value, as the real one does.
"""

from __future__ import annotations

import http.client
import os
import socketserver
import struct
import sys
from pathlib import Path
from urllib.parse import quote

CONFIG = Path("/etc/saslauthd.conf")
_FIELDS = ("user", "password", "service", "realm")


def settings() -> dict[str, str]:
    """The httpform_* lines. Exits when one that is needed has no value."""
    found = {}
    for line in CONFIG.read_text().splitlines():
        key, _, value = line.partition(":")
        found[key.strip()] = value.strip()
    for key in ("httpform_host", "httpform_port", "httpform_uri"):
        if not found.get(key):
            print(
                f"saslauthd: keyword {key}: no value; failed to initialize mechanism httpform",
                file=sys.stderr,
                flush=True,
            )
            sys.exit(1)
    return found


def body(request: dict[str, str]) -> str:
    """`%u %r %p`: every part percent-encoded, as it arrives at the application."""
    return " ".join(_encoded(request[name]) for name in ("user", "realm", "password"))


def _encoded(text: str) -> str:
    # saslauthd leaves letters and digits only.
    return "".join(
        c if c.isascii() and c.isalnum() else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )


def ask(conf: dict[str, str], request: dict[str, str]) -> str:
    """The application's verdict in saslauthd's words."""
    try:
        connection = http.client.HTTPConnection(conf["httpform_host"], int(conf["httpform_port"]), timeout=30)
        connection.request("POST", quote(conf["httpform_uri"]), body(request).encode())
        status = connection.getresponse().status
        connection.close()
    except OSError as error:
        print(f"saslauthd: auth_httpform: {error}", file=sys.stderr, flush=True)
        return "NO [ALERT] Couldn't contact httpform authentication server"
    return "OK" if 200 <= status < 300 else "NO authentication failed"


class Mux(socketserver.StreamRequestHandler):
    """The protocol of the mux socket: four counted strings in, one out."""

    def handle(self) -> None:
        request = {}
        for name in _FIELDS:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            request[name] = self.rfile.read(struct.unpack("!H", head)[0]).decode(errors="replace")
        answer = ask(self.server.conf, request).encode()  # type: ignore[attr-defined]
        self.wfile.write(struct.pack("!H", len(answer)) + answer)


class Server(socketserver.ThreadingUnixStreamServer):
    """Answers each client in a thread of its own."""

    daemon_threads = True
    request_queue_size = 64


def main(arguments: list[str]) -> int:
    """Listen on the mux socket until killed."""
    conf = settings()
    folder = Path(arguments[arguments.index("-m") + 1] if "-m" in arguments else "/run/saslauthd")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mux"
    path.unlink(missing_ok=True)
    os.umask(0)
    with Server(str(path), Mux) as server:
        server.conf = conf  # type: ignore[attr-defined]
        path.chmod(0o777)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
