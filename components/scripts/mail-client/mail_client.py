"""What the programs of the monitoring share that have an account here: how they are told, how they open their mailbox, and the
page on which Prometheus reads their numbers.

Runs on the image's Python (3.7 or newer), without anything beside it.
"""

import argparse
import imaplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 30
"""Seconds for each answer of a server."""


def parser() -> argparse.ArgumentParser:
    """Of what every such program is told."""
    found = argparse.ArgumentParser()
    for name in ("mailbox", "imap", "password-file"):
        found.add_argument(f"--{name}", required=True)
    found.add_argument("--every", type=int, required=True, help="seconds")
    found.add_argument("--metrics-port", type=int, required=True)
    found.add_argument("--any-certificate", action="store_true")
    return found


def place(text: str) -> "tuple[str, int]":
    """Host and port of `host:port`."""
    host, _, port = text.rpartition(":")
    return host, int(port)


class Account:
    """Who the program is, and whom it believes to be the server."""

    def __init__(self, told: argparse.Namespace) -> None:
        # Also what imaplib of older Pythons has no parameter for.
        socket.setdefaulttimeout(PATIENCE)
        self._told = told
        with open(told.password_file, encoding="ascii") as file:
            self.password = file.read().strip()
        self.tls = ssl.create_default_context()
        if told.any_certificate:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    @contextmanager
    def opened(self) -> "Iterator[imaplib.IMAP4_SSL]":
        """The account, logged in. Raises OSError, or IMAP4.error."""
        mailbox = imaplib.IMAP4_SSL(*place(self._told.imap), ssl_context=self.tls)
        try:
            mailbox.login(self._told.mailbox, self.password)
            yield mailbox
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                mailbox.logout()


def good(answer: "tuple[str, list[Any]]") -> "list[Any]":
    """What the server gave. Raises IMAP4.error with its words where it refused."""
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(" ".join(map(_text, data)))
    return data


def words(error: Exception) -> str:
    """What went wrong on one line; servers' answers are bytes."""
    said = " ".join(map(_text, error.args)) or type(error).__name__
    return " ".join(said.split())


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def tell(port: int, numbers: "Callable[[], str]") -> None:
    """From now on Prometheus reads the numbers there (exposition format, version 0.0.4)."""

    class Page(BaseHTTPRequestHandler):
        """The numbers, whatever is asked for."""

        def do_GET(self) -> None:
            """Answers."""
            body = numbers().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads who asks for numbers."""

    server = ThreadingHTTPServer(("", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
