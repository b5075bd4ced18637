"""What receivers and senders of the world report about our mail, read from a mailbox: numbers for Prometheus, and a line for
each report.

The mailbox is only looked at: nothing is marked, moved or deleted. What is known is made anew from the reports that are there,
so nothing is kept, and a new pod says the same. Each message is read by report.py in a process of its own.
Runs on the image's Python (3.7 or newer), without anything beside it.
"""

import argparse
import imaplib
import json
import os
import re
import subprocess
import sys
import time
from typing import Any

import mail_client
from mail_client import PATIENCE, Account, good, words

WINDOW = 7
"""Days that the numbers are about, by the end of what a report is about."""
ARRIVED = 14
"""Days back to which messages are looked at: a report comes one day after the time that it is about, or two."""
LARGEST = 4 << 20
"""Bytes of a message: no receiver of any size sends more, and it is held in memory."""
MOST = 2000
"""Messages that are looked at, the newest: a flood leaves the numbers late, not this program without memory."""
AT_ONCE = 200
"""Messages that are read at one look, so that each look ends."""
REASONS = ("large", "limits", "malformed", "no-report", "other-domain")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Book:
    """What the messages in the mailbox said: message -> its reports, or why it has none."""

    def __init__(self) -> None:
        self.reports: dict[int, list[dict[str, Any]]] = {}
        self.refused: dict[int, str] = {}
        self.last_look = 0.0
        self.failures = 0
        self._mailbox: list[Any] = []

    def of(self, mailbox: "list[Any]") -> None:
        """Numbers of messages mean nothing in another mailbox of that name (RFC 9051 section 2.3.1.1)."""
        if mailbox != self._mailbox:
            self.keep(set())
        self._mailbox = mailbox

    def knows(self, message: int) -> bool:
        """Whether it was read."""
        return message in self.reports or message in self.refused

    def keep(self, messages: "set[int]") -> None:
        """Forgets all others."""
        self.reports = {each: said for each, said in self.reports.items() if each in messages}
        self.refused = {each: why for each, why in self.refused.items() if each in messages}

    def counted(self) -> "list[dict[str, Any]]":
        """Reports of the window, each once, however often it was sent."""
        after = time.time() - WINDOW * 86400
        found = {
            (each["kind"], each["by"], each["id"], each["domain"]): each
            for said in list(self.reports.values())
            for each in said
            if each["to"] > after
        }
        return list(found.values())

    def text(self) -> str:
        """In Prometheus' exposition format, version 0.0.4."""
        found = self.counted()
        messages: dict[str, int] = {}
        sessions: dict[str, int] = {}
        failures: dict[str, int] = {}
        newest = {"dmarc": 0, "tls": 0}
        for each in found:
            domain = each["domain"]
            newest[each["kind"]] = max(newest[each["kind"]], each["to"])
            if each["kind"] == "dmarc":
                for source in ("ours", "others"):
                    for verdict, number in each[source].items():
                        _add(messages, f'domain="{domain}",source="{source}",verdict="{verdict}"', number)
                continue
            for outcome in ("good", "failed"):
                _add(sessions, f'domain="{domain}",outcome="{outcome}"', each[outcome])
            for kind, number in each["types"].items():
                _add(failures, f'domain="{domain}",type="{kind}"', number)
        why = list(self.refused.values())
        refused = {f'reason="{reason}"': why.count(reason) for reason in REASONS}
        known = {f'kind="{kind}"': sum(each["kind"] == kind for each in found) for kind in newest}
        return "".join(
            _metric(name, what, kind, values)
            for name, what, kind, values in (
                ("kolab_reports", f"Reports about the last {WINDOW} days.", "gauge", known),
                (
                    "kolab_reports_newest_timestamp_seconds",
                    "Until when the newest report is; 0 for none.",
                    "gauge",
                    {f'kind="{kind}"': moment for kind, moment in newest.items()},
                ),
                ("kolab_reports_refused", "Messages in the mailbox that do not count.", "gauge", refused),
                (
                    "kolab_reports_last_look_timestamp_seconds",
                    "When the mailbox was last read; 0 for never.",
                    "gauge",
                    {"": round(self.last_look)},
                ),
                (
                    "kolab_reports_failures_total",
                    "Looks that came to nothing.",
                    "counter",
                    {"": self.failures},
                ),
                ("kolab_dmarc_messages", "Messages in our name that receivers judged.", "gauge", messages),
                ("kolab_tls_sessions", "Sessions of senders to our port 25.", "gauge", sessions),
                ("kolab_tls_failures", "Sessions that failed, by what failed.", "gauge", failures),
            )
        )


def _add(to: "dict[str, int]", labels: str, number: int) -> None:
    to[labels] = to.get(labels, 0) + number


def _metric(name: str, what: str, kind: str, values: "dict[str, int]") -> str:
    lines = [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]
    lines += [
        f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"
        for labels, value in sorted(values.items())
    ]
    return "\n".join(lines) + "\n"


class Reader:
    """Looks into the mailbox."""

    def __init__(self, told: argparse.Namespace, account: Account, book: Book) -> None:
        self._account, self._book = account, book
        ours = [f"--domain={each}" for each in told.domain] + [f"--sends={each}" for each in told.sends]
        self._command = [sys.executable, os.path.join(os.path.dirname(__file__), "report.py"), *ours]

    def look(self) -> bool:
        """Reads what is new; whether there is more. Raises OSError, or IMAP4.error."""
        with self._account.opened() as mailbox:
            # EXAMINE (RFC 9051 section 6.3.3): nothing that is done can change anything.
            good(mailbox.select("INBOX", readonly=True))
            self._book.of(mailbox.response("UIDVALIDITY")[1])
            there = self._there(mailbox)
            self._book.keep(set(there))
            new = [each for each in there if not self._book.knows(each)]
            for number in new[:AT_ONCE]:
                self._read(mailbox, number)
        self._book.last_look = time.time()
        return len(new) > AT_ONCE

    def _there(self, mailbox: imaplib.IMAP4_SSL) -> "list[int]":
        """Messages of the last days, the newest first."""
        since = time.gmtime(time.time() - ARRIVED * 86400)
        day = f"{since.tm_mday:02d}-{_MONTHS[since.tm_mon - 1]}-{since.tm_year}"
        [numbers] = good(mailbox.uid("SEARCH", "SINCE", day))
        return sorted(map(int, (numbers or b"").split()), reverse=True)[:MOST]

    def _read(self, mailbox: imaplib.IMAP4_SSL, number: int) -> None:
        size = re.search(rb"RFC822\.SIZE (\d+)", _first(mailbox.uid("FETCH", str(number), "(RFC822.SIZE)")))
        if size is None or int(size[1]) > LARGEST:
            self._refuse(number, "large")
            return
        [part, *_] = good(mailbox.uid("FETCH", str(number), "(BODY.PEEK[])"))
        if not isinstance(part, tuple):
            # It was deleted meanwhile.
            self._refuse(number, "no-report")
            return
        said = self._judged(part[1])
        if "refused" in said:
            self._refuse(number, said["refused"])
            return
        self._book.reports[number] = said["reports"]
        for each in said["reports"]:
            print(json.dumps({"report": each}), flush=True)

    def _judged(self, message: bytes) -> "dict[str, Any]":
        """What report.py says. Were it to fall to what it reads, that message does not count, and that is all."""
        try:
            done = subprocess.run(  # noqa: S603 (a program of ours; what strangers wrote comes on its input)
                self._command, input=message, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                timeout=PATIENCE, check=True,
            )  # fmt: skip
            said: dict[str, Any] = json.loads(done.stdout)
        except (subprocess.SubprocessError, ValueError):
            return {"refused": "limits"}
        return said

    def _refuse(self, number: int, why: str) -> None:
        self._book.refused[number] = why
        print(f"report reader: message {number} does not count: {why}", file=sys.stderr, flush=True)


def _first(answer: "tuple[str, list[Any]]") -> bytes:
    [part, *_] = good(answer)
    return part if isinstance(part, bytes) else b""


def main() -> None:
    """Goes on until the pod ends."""
    options = mail_client.parser()
    options.add_argument("--domain", action="append", required=True, help="a domain of ours")
    options.add_argument("--sends", action="append", default=[], help="an address that our mail leaves from")
    told, book = options.parse_args(), Book()
    reader = Reader(told, Account(told), book)
    mail_client.tell(told.metrics_port, book.text)
    while True:
        begun, more = time.monotonic(), False
        try:
            more = reader.look()
        except (OSError, imaplib.IMAP4.error) as error:
            book.failures += 1
            said = f"the mailbox cannot be read at {told.imap}: {words(error)}"
            print(f"report reader: {said}", file=sys.stderr, flush=True)
        if not more:
            time.sleep(max(0.0, begun + told.every - time.monotonic()))


if __name__ == "__main__":
    main()
