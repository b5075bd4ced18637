"""Mail that is seen to arrive: a message to oneself, handed in as mail programs do (port 465) and read again (port 993).

Counts what came back and how long that took, for Prometheus. It deletes its own messages, told by a header, and no others.
Runs on the image's Python (3.7 or newer), without anything beside it.
"""

import argparse
import email
import imaplib
import smtplib
import sys
import time
import uuid
from email.message import EmailMessage
from email.utils import formatdate

import mail_client
from mail_client import PATIENCE, Account, good, place, words

SUBJECT = "Round trip of the mail server"
MARK = "X-Kolab-Round-Trip"
"""Header that holds the message's own name."""
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

    def __init__(self, told: argparse.Namespace, account: Account) -> None:
        self._told, self._account = told, account
        self.under_way: dict[str, float] = {}

    def trip(self, numbers: Numbers) -> None:
        """One message: sent, and waited for until the next one is due. Raises Failure."""
        numbers.attempts += 1
        begun = time.monotonic()
        name = uuid.uuid4().hex
        try:
            self._send(name)
        except (OSError, smtplib.SMTPException) as error:
            raise Failure("send", f"was not taken at {self._told.smtp}: {words(error)}") from None
        self.under_way[name] = begun
        try:
            found = self._found(name, begun + self._told.every, numbers)
        except (OSError, imaplib.IMAP4.error) as error:
            raise Failure("read", f"cannot be looked for at {self._told.imap}: {words(error)}") from None
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
        host, port = place(self._told.smtp)
        with smtplib.SMTP_SSL(
            host, port, local_hostname=self._told.helo, timeout=PATIENCE, context=self._account.tls
        ) as server:
            server.login(self._told.mailbox, self._account.password)
            server.send_message(message)

    def _found(self, name: str, until: float, numbers: Numbers) -> bool:
        with self._account.opened() as mailbox:
            while True:
                # Anew each time: what has arrived since is told to whoever selects.
                good(mailbox.select("INBOX"))
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

    def _collect(self, mailbox: imaplib.IMAP4_SSL) -> "list[str]":
        """The names of our messages in the mailbox, which are gone from it then."""
        [numbers] = good(mailbox.uid("SEARCH", "SUBJECT", f'"{SUBJECT}"'))
        found = []
        for number in (numbers or b"").decode("ascii").split():
            [part, *_] = good(mailbox.uid("FETCH", number, f"(BODY.PEEK[HEADER.FIELDS ({MARK})])"))
            name = email.message_from_bytes(part[1])[MARK] if isinstance(part, tuple) else None
            if name:
                good(mailbox.uid("STORE", number, "+FLAGS.SILENT", r"(\Deleted)"))
                # This message alone (RFC 4315).
                good(mailbox.uid("EXPUNGE", number))
                found.append(name.strip())
        return found


def main() -> None:
    """Goes on until the pod ends."""
    options = mail_client.parser()
    for name in ("helo", "smtp"):
        options.add_argument(f"--{name}", required=True)
    told, numbers = options.parse_args(), Numbers()
    traveller = Traveller(told, Account(told))
    mail_client.tell(told.metrics_port, numbers.text)
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
