"""Attempts to have Postfix carry mail to somebody else, word by word as a spammer's program makes them."""

from __future__ import annotations

import base64
import json
import smtplib
import time
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.client.tls import careful

_TIMEOUT = 20
_AT_ONCE = 4
_SILENCE = "unanswered: "
_TRIES = 4
_PAUSE = 3
"""Seconds between two tries: an address that moves to another node resets what went to the one before."""


def envelopes(host: str, port: str, *wanted: str) -> str:
    """JSON: what each attempt came to, one session each, plain and without a password.

    An envelope is `SENDER RECIPIENT`, both as they go over the wire, without angle brackets. An attempt goes on until
    it is refused; one that never is ends before its message, which nobody shall get. One that was not answered at all
    shows nothing, and is made again.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda each: _answer(host, int(port), *each.split(" ")), wanted)
        return json.dumps(dict(zip(wanted, answers, strict=True)))


def _answer(host: str, port: int, sender: str, recipient: str) -> str:
    for _ in range(_TRIES - 1):
        answer = _attempt(host, port, sender, recipient)
        if not answer.startswith(_SILENCE):
            return answer
        time.sleep(_PAUSE)
    return _attempt(host, port, sender, recipient)


def _attempt(host: str, port: int, sender: str, recipient: str) -> str:
    try:
        with smtplib.SMTP(host, port, local_hostname="client.sender.test", timeout=_TIMEOUT) as smtp:
            smtp.ehlo_or_helo_if_needed()
            for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
                code, text = smtp.docmd(line)
                if code >= 400:
                    break
            # Nothing is handed over: the session ends in the middle.
            smtp.close()
    except (OSError, smtplib.SMTPException) as error:
        return f"{_SILENCE}{error}"
    return f"{code} {text.decode(errors='replace')}"


def password(host: str, port: str, user: str, secret: str) -> str:
    """What a server says to a password, before TLS and after it."""
    with smtplib.SMTP(timeout=_TIMEOUT) as smtp:
        smtp._host = host  # type: ignore[attr-defined] # where STARTTLS takes the server's name from
        smtp.connect(host, int(port))
        before = _plain(smtp, user, secret)
        smtp.starttls(context=careful())
        after = _plain(smtp, user, secret)
    return f"before: {before}\nafter: {after}"


def _plain(smtp: smtplib.SMTP, user: str, secret: str) -> str:
    smtp.ehlo("client.sender.test")
    proof = base64.b64encode(f"\0{user}\0{secret}".encode()).decode()
    code, text = smtp.docmd("AUTH", f"PLAIN {proof}")
    return f"{code} {text.decode(errors='replace')}"
