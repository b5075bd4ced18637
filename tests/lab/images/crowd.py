"""Everybody at once, inside the containers' network: python -m tests.lab.images.crowd RECIPIENT ENOUGH.

Until the file ENOUGH is there, mail servers name recipients of many domains, some hand letters over, and browsers open the
webmail. What they are answered plays no part.
"""

from __future__ import annotations

import smtplib
import sys
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from model import budget
from tests.lab.images.client import message

_SMTP, _WEBMAIL = 10025, "http://127.0.0.1:8080/webmail/"
_NAMING, _WRITING, _BROWSING = 60, 8, budget.PHP + 20
_SECONDS = 60


def _mail_server(number: int) -> smtplib.SMTP:
    # As many from each address as may come (smtpd_client_connection_count_limit).
    address = f"127.0.1.{number // budget.SMTPD_PER_CLIENT + 1}"
    return smtplib.SMTP("127.0.0.1", _SMTP, "mail.example.edu", _SECONDS, (address, 0))


def _name(number: int, enough: Path) -> None:
    turn = 0
    with _mail_server(number) as server:
        server.ehlo()
        while not enough.exists():
            turn += 1
            server.docmd("RSET")
            server.mail("joe@example.edu")
            server.rcpt(f"nobody{number}x{turn}@{('example.org', f'{turn}.example.net')[turn % 2]}")


def _write(number: int, enough: Path, recipient: str) -> None:
    while not enough.exists():
        with _mail_server(number) as server:
            letter = message("joe@example.edu", recipient, "one of many")
            server.sendmail("joe@example.edu", [recipient], letter)


def _browse() -> None:
    with urllib.request.urlopen(_WEBMAIL, timeout=_SECONDS) as answer:
        answer.read()


def main(recipient: str, file: str) -> None:
    """All of them, each again and again."""
    enough = Path(file)

    def until_enough(act: Callable[[], None]) -> None:
        while not enough.exists():
            with suppress(OSError, smtplib.SMTPException, HTTPException):
                act()

    acts: list[Callable[[], None]] = [
        *(lambda number=number: _name(number, enough) for number in range(_NAMING)),
        *(lambda number=number: _write(number, enough, recipient) for number in range(_NAMING, _NAMING + _WRITING)),
        *[_browse] * _BROWSING,
    ]  # fmt: skip
    for act in acts:
        threading.Thread(target=until_enough, args=(act,)).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
