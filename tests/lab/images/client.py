"""A mail client for tests, run inside the containers' network: python -m tests.lab.images.client COMMAND ARGUMENT...

It prints one JSON document. What a server refuses is part of the answer, not a failure of this program.
"""

from __future__ import annotations

import imaplib
import json
import re
import smtplib
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_HELO = "client.example.net"


def _tls() -> ssl.SSLContext:
    # The certificates of a try signed themselves.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def message(sender: str, recipient: str, subject: str) -> str:
    """A small message that no filter minds."""
    headers = {"From": sender or "MAILER-DAEMON@example.net", "To": recipient, "Subject": subject}
    headers |= {"Date": time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()), "MIME-Version": "1.0"}
    headers |= {"Message-ID": f"<{time.time_ns()}@client.example.net>", "Content-Type": "text/plain"}
    return "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\nhello\r\n"


@contextmanager
def _refusals(answer: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as refused:
        code, text = next(iter(refused.recipients.values()))
        answer |= {"code": code, "text": text.decode()}
    except smtplib.SMTPResponseException as refused:
        error = refused.smtp_error
        answer |= {"code": refused.smtp_code, "text": error.decode() if isinstance(error, bytes) else error}


def deliver(address: str, source: str, sender: str, recipient: str, subject: str) -> dict[str, Any]:
    """Port 25 as another server: STARTTLS, then one message; `-` as subject means the one on standard input."""
    answer: dict[str, Any] = {"code": 250, "text": ""}
    with smtplib.SMTP(address, 10025, _HELO, 60, (source, 0)) as smtp:
        smtp.ehlo()
        answer["offers_auth_before_tls"] = smtp.has_extn("auth")
        smtp.starttls(context=_tls())
        smtp.ehlo()
        answer["offers_auth"] = smtp.has_extn("auth")
        with _refusals(answer):
            mail = sys.stdin.buffer.read() if subject == "-" else message(sender, recipient, subject).encode()
            smtp.sendmail(sender, [recipient], mail)
    return answer


def submit(address: str, login: str, sender: str, recipient: str, subject: str) -> dict[str, Any]:
    """Port 465 of the proxy as a user's mail program; `login` is user:password, or nothing."""
    answer: dict[str, Any] = {"code": 250, "text": ""}
    with smtplib.SMTP_SSL(address, 6465, _HELO, timeout=60, context=_tls()) as smtp:
        smtp.ehlo()
        with _refusals(answer):
            if login:
                smtp.login(*login.split(":", 1))
            smtp.sendmail(sender, [recipient], message(sender, recipient, subject))
    return answer


def inbox(address: str, user: str, password: str) -> dict[str, Any]:
    """Port 993 of the proxy: the headers of all messages."""
    with imaplib.IMAP4_SSL(address, 6993, ssl_context=_tls(), timeout=60) as imap:
        try:
            imap.login(user, password)
        except imaplib.IMAP4.error as error:
            return {"refused": str(error)}
        imap.select(readonly=True)
        _, found = imap.search(None, "ALL")
        messages = []
        for number in found[0].split():
            _, parts = imap.fetch(number, "(BODY.PEEK[])")
            messages.append(parts[0][1].decode())  # type: ignore[index,union-attr]
    return {"messages": messages}


def webmail(address: str, host: str, user: str, password: str) -> dict[str, Any]:
    """The webmail's own login form; says where it leads."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=_tls()), urllib.request.HTTPCookieProcessor()
    )
    url = f"https://{address}:6443/webmail/"
    page = opener.open(urllib.request.Request(url, headers={"Host": host}), timeout=60).read().decode()
    token = re.search(r'name="_token" value="([^"]+)"', page)
    form = {"_task": "login", "_action": "login", "_user": user, "_pass": password}
    form["_token"] = token[1] if token else ""
    asked = urllib.request.Request(
        f"{url}?_task=login", urllib.parse.urlencode(form).encode(), {"Host": host}
    )
    try:
        answer = opener.open(asked, timeout=60)
    except urllib.error.HTTPError as refused:
        return {"status": refused.code, "mailbox": False}
    return {"status": answer.status, "mailbox": "_task=mail" in answer.url}


COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    "deliver": deliver,
    "submit": submit,
    "inbox": inbox,
    "webmail": webmail,
}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
