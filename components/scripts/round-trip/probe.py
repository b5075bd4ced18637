"""Mail that is seen to arrive: a message to oneself, handed in as mail programs do (port 465) and read again (port 993).

Counts what came back and how long that took, for Prometheus. It deletes its own messages, told by a header, and no others.
Runs on the image's Python (3.7 or newer), without anything beside it.
"""

import argparse
import email
import imaplib
import smtplib
import socket
import ssl
import sys
import threading
import time
import uuid
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SUBJECT = "Round trip of the mail server"
MARK = "X-Kolab-Round-Trip"
"""Header that holds the message's own name."""
PATIENCE = 30
"""Seconds for each answer of a server."""
LOOK_EVERY = 2
"""Seconds between two looks into the mailbox: no message of ours counts as faster."""
STEPS = ("send", "read", "wait")
"""Where a trip fails: not handed in, the mailbox not opened, the message not found in it."""


class Failure(Exception):
    """A trip that failed: at which step, and what was said there."""

    def __init__(self, step: str, words: str) -> None:
        super().__init__(words)
        self.step = step


class Numbers:
    """What Prometheus is told. `seconds` is that of the last message that came back, None before the first."""

    def __init__(self) -> None:
        self.attempts = 0
        self.failures = dict.fromkeys(STEPS, 0)
        self.last_success = 0.0
        self.seconds: float | None = None

    def came_back(self, seconds: float) -> None:
        """Counts a message that was found."""
        self.last_success, self.seconds = time.time(), seconds

    def text(self) -> str:
        """In Prometheus' exposition format, version 0.0.4."""
        lines = [
            "# HELP kolab_round_trip_attempts_total Messages that were begun.",
            "# TYPE kolab_round_trip_attempts_total counter",
            f"kolab_round_trip_attempts_total {self.attempts}",
            "# HELP kolab_round_trip_failures_total Messages that did not come back, by the step that failed.",
            "# TYPE kolab_round_trip_failures_total counter",
            *(f'kolab_round_trip_failures_total{{step="{step}"}} {n}' for step, n in self.failures.items()),
            "# HELP kolab_round_trip_last_success_timestamp_seconds When a message last came back; 0 for never.",
            "# TYPE kolab_round_trip_last_success_timestamp_seconds gauge",
            f"kolab_round_trip_last_success_timestamp_seconds {self.last_success:.3f}",
        ]
        if self.seconds is not None:
            lines += [
                "# HELP kolab_round_trip_seconds How long the last message that came back was under way.",
                "# TYPE kolab_round_trip_seconds gauge",
                f"kolab_round_trip_seconds {self.seconds:.3f}",
            ]
        return "\n".join(lines) + "\n"


class Traveller:
    """Sends messages and looks for them. `under_way` is each one's name and when it left (monotonic)."""

    def __init__(self, told: argparse.Namespace, password: str) -> None:
        self._told, self._password = told, password
        self._tls = ssl.create_default_context()
        if told.any_certificate:
            self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self.under_way: dict[str, float] = {}

    def trip(self, numbers: Numbers) -> None:
        """One message: sent, and waited for until the next one is due. Raises Failure."""
        numbers.attempts += 1
        begun = time.monotonic()
        name = uuid.uuid4().hex
        try:
            self._send(name)
        except (OSError, smtplib.SMTPException) as error:
            raise Failure("send", f"was not taken at {self._told.smtp}: {_words(error)}") from None
        self.under_way[name] = begun
        try:
            found = self._found(name, begun + self._told.every, numbers)
        except (OSError, imaplib.IMAP4.error) as error:
            raise Failure("read", f"cannot be looked for at {self._told.imap}: {_words(error)}") from None
        if not found:
            raise Failure("wait", f"was taken, and is not in the mailbox after {self._told.every} s")

    def _send(self, name: str) -> None:
        message = EmailMessage()
        message["From"] = message["To"] = self._told.mailbox
        message["Subject"], message["Date"] = SUBJECT, formatdate()
        message["Message-ID"] = f"<{name}@{self._told.helo}>"
        # Vacation notes and the like leave it alone (RFC 3834).
        message["Auto-Submitted"], message[MARK] = "auto-generated", name
        message.set_content("The monitoring sends this to itself, and deletes it when it has arrived.\n")
        host, port = _place(self._told.smtp)
        with smtplib.SMTP_SSL(
            host, port, local_hostname=self._told.helo, timeout=PATIENCE, context=self._tls
        ) as server:
            server.login(self._told.mailbox, self._password)
            server.send_message(message)

    def _found(self, name: str, until: float, numbers: Numbers) -> bool:
        host, port = _place(self._told.imap)
        mailbox = imaplib.IMAP4_SSL(host, port, ssl_context=self._tls)
        try:
            mailbox.login(self._told.mailbox, self._password)
            while True:
                # Anew each time: what has arrived since is told to whoever selects.
                _good(mailbox.select("INBOX"))
                for back in self._collect(mailbox):
                    left = self.under_way.pop(back, None)
                    # One of an earlier pod has no time of its own, and is only cleared away.
                    if left is not None:
                        numbers.came_back(time.monotonic() - left)
                if name not in self.under_way:
                    return True
                if time.monotonic() + LOOK_EVERY > until:
                    return False
                time.sleep(LOOK_EVERY)
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                mailbox.logout()

    def _collect(self, mailbox: imaplib.IMAP4_SSL) -> "list[str]":
        """The names of our messages in the mailbox, which are gone from it then."""
        [numbers] = _good(mailbox.uid("SEARCH", "SUBJECT", f'"{SUBJECT}"'))
        found = []
        for number in (numbers or b"").decode("ascii").split():
            [part, *_] = _good(mailbox.uid("FETCH", number, f"(BODY.PEEK[HEADER.FIELDS ({MARK})])"))
            name = email.message_from_bytes(part[1])[MARK] if isinstance(part, tuple) else None
            if name:
                _good(mailbox.uid("STORE", number, "+FLAGS.SILENT", r"(\Deleted)"))
                # This message alone (RFC 4315).
                _good(mailbox.uid("EXPUNGE", number))
                found.append(name.strip())
        return found


def _place(text: str) -> "tuple[str, int]":
    host, _, port = text.rpartition(":")
    return host, int(port)


def _good(answer: "tuple[str, list[Any]]") -> "list[Any]":
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(" ".join(map(_text, data)))
    return data


def _words(error: Exception) -> str:
    """What went wrong on one line; servers' answers are bytes."""
    said = " ".join(map(_text, error.args)) or type(error).__name__
    return " ".join(said.split())


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("mailbox", "helo", "smtp", "imap", "password-file"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--every", type=int, required=True, help="seconds")
    parser.add_argument("--metrics-port", type=int, required=True)
    parser.add_argument("--any-certificate", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Goes on until the pod ends."""
    told = _told()
    # Also what imaplib of older Pythons has no parameter for.
    socket.setdefaulttimeout(PATIENCE)
    numbers = Numbers()

    class Page(BaseHTTPRequestHandler):
        """The numbers, whatever is asked for."""

        def do_GET(self) -> None:
            """Answers."""
            body = numbers.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads who asks for numbers."""

    server = ThreadingHTTPServer(("", told.metrics_port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(told.password_file, encoding="ascii") as file:
        traveller = Traveller(told, file.read().strip())
    while True:
        begun = time.monotonic()
        try:
            traveller.trip(numbers)
            print(f"round trip: came back after {numbers.seconds:.1f} s", flush=True)
        except Failure as failure:
            numbers.failures[failure.step] += 1
            print(f"round trip: the message {failure}", file=sys.stderr, flush=True)
        time.sleep(max(0.0, begun + told.every - time.monotonic()))


if __name__ == "__main__":
    main()
