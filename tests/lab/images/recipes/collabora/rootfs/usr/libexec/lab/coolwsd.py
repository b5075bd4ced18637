"""A stand-in for Collabora: reads the real configuration's allowed hosts and name, and answers discovery and capabilities."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

CONFIG = Path("/etc/coolwsd/coolwsd.xml")
_ACTIONS = {"odt": "writer", "ods": "calc", "odp": "impress"}


_GROUPS = "storage.wopi.alias_groups"
_ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 section 1.3."""


def settings(given: Mapping[str, str]) -> tuple[str, list[str]]:
    """The public name and the allowed WOPI hosts; options win over the file. Exits with a sentence when they are not usable."""
    try:
        tree = ElementTree.parse(CONFIG)  # noqa: S314 - our own file
    except ElementTree.ParseError as error:
        sys.exit(f"contract: {CONFIG} is no XML any more: {error}")
    groups = tree.find(".//alias_groups")
    if groups is None or "ALLOWED_HOSTS_GROUPS" in (groups.text or ""):
        sys.exit(
            f"contract: the placeholder of the allowed hosts is still in {CONFIG}: nobody knows which hosts may open documents"
        )
    found = {}
    for number, group in enumerate(groups.findall("group")):
        host = group.find("host")
        if host is not None:
            found[number] = (host.text or "", host.get("allow") == "true")
        for alias in group.findall("alias"):
            found[len(found) + 100] = (alias.text or "", host is not None and host.get("allow") == "true")
    for number in range(10):
        path = f"{_GROUPS}.group[{number}].host"
        if path in given:
            found[number] = (given[path], given.get(f"{path}[@allow]") == "true")
    hosts = [host for host, allowed in found.values() if allowed]
    if not hosts:
        sys.exit(f"contract: {CONFIG} allows no WOPI host: no document opens")
    return given.get("server_name") or tree.findtext(".//server_name") or "", hosts


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    name = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = self.name or self.headers.get("Host", "")
        if path == "/":
            self._send(b"OK", "text/plain")
        elif path == "/hosting/discovery":
            self._send(discovery(name), "text/xml")
        elif path == "/hosting/capabilities":
            self._send(json.dumps({"productName": "Lab stand-in for Collabora"}).encode(), "application/json")
        elif path.startswith(("/cool", "/lool")) and self.headers.get("Sec-WebSocket-Key"):
            self._socket(self.headers["Sec-WebSocket-Key"])
        elif path.startswith(("/browser", "/cool", "/lool")):
            self._send(b"<title>Lab stand-in for Collabora</title>", "text/html")
        else:
            self._send(b"", "text/plain", 404)

    def _socket(self, key: str) -> None:
        """A document's socket: whatever comes goes back as it is."""
        self.protocol_version = "HTTP/1.1"
        self.send_response(101)
        accept = base64.b64encode(hashlib.sha1(f"{key}{_ACCEPT}".encode()).digest()).decode()  # noqa: S324
        for name, value in (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        while more := self.connection.recv(4096):
            self.connection.sendall(more)

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line of JSON, as the web application writes it."""
        line = {"peer": self.client_address[0], "host": self.headers.get("Host")}
        print(json.dumps(line | {"request": f"{self.command} {self.path}", "status": int(code)}), flush=True)


def discovery(name: str) -> bytes:
    """The list of what can be opened where; links are https since the proxy ends TLS."""
    actions = "".join(
        f'<app name="{app}"><action ext="{ext}" name="edit" urlsrc="https://{name}/browser/lab/cool.html?"/></app>'
        for ext, app in _ACTIONS.items()
    )
    return f'<wopi-discovery><net-zone name="external-http">{actions}</net-zone></wopi-discovery>'.encode()


def main() -> None:
    """Serve until killed."""
    options = [word.removeprefix("--o:").partition("=") for word in sys.argv[1:] if word.startswith("--o:")]
    Handler.name, hosts = settings({name: value for name, _, value in options})
    print(f"coolwsd: allowed hosts: {' '.join(hosts)}", flush=True)
    with ThreadingHTTPServer(("", 9980), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
