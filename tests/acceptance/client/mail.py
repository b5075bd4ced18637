"""A client on the lab's internet: `python -m tests.acceptance.client COMMAND ARGUMENT...` speaks one protocol.

Standard library only: what a stranger's program sees, not what ours would like to see. Prints what it saw.
"""

from __future__ import annotations

import imaplib
import smtplib
import socket
import ssl
import sys
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

_TIMEOUT = 20


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # The lab's authority is nobody's; names are checked where a test is about certificates.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _message(sender: str, recipient: str, subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "sender.test")
    message.set_content(f"This is {subject}.\n")
    return message


def receive(host: str, sender: str, recipient: str, subject: str) -> str:
    """Hands one message to port 25 as a stranger does. Prints the final answer."""
    with smtplib.SMTP(host, 25, local_hostname="client.sender.test", timeout=_TIMEOUT) as smtp:
        smtp.starttls(context=_tls())
        message = _message(sender or "mailer-daemon@sender.test", recipient, subject)
        try:
            smtp.send_message(message, from_addr=sender, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as refused:
            code, text = next(iter(refused.recipients.values()))
            return f"{code} {text.decode()}"
        except smtplib.SMTPResponseException as refused:
            return f"{refused.smtp_code} {refused.smtp_error!r}"
    return "250 accepted"


def many(host: str, recipient: str, prefix: str, count: str) -> str:
    """Hands `count` messages over one after another and prints the subjects that were acknowledged with 250."""
    accepted = []
    for number in range(int(count)):
        subject = f"{prefix}-{number}"
        try:
            if receive(host, "stranger@sender.test", recipient, subject).startswith("250"):
                accepted.append(subject)
        except (OSError, smtplib.SMTPException):
            continue
    return "\n".join(accepted)


def submit(host: str, port: str, user: str, password: str, sender: str, recipient: str, subject: str) -> str:
    """Submits one message with a password: implicit TLS on 465, STARTTLS elsewhere."""
    make = smtplib.SMTP_SSL if port == "465" else smtplib.SMTP
    options = {"context": _tls()} if port == "465" else {}
    with make(host, int(port), local_hostname="laptop.sender.test", timeout=_TIMEOUT, **options) as smtp:
        if port != "465":
            smtp.starttls(context=_tls())
        try:
            if user:
                smtp.login(user, password)
            smtp.send_message(_message(sender, recipient, subject), from_addr=sender, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as refused:
            code, text = next(iter(refused.recipients.values()))
            return f"{code} {text.decode()}"
        except smtplib.SMTPResponseException as refused:
            return f"{refused.smtp_code} {refused.smtp_error!r}"
    return "250 accepted"


def ehlo(host: str, port: str) -> str:
    """The banner and what the server offers, before and after STARTTLS."""
    smtp = smtplib.SMTP(timeout=_TIMEOUT)
    smtp._host = host  # where STARTTLS takes the server's name from
    with smtp:
        _, banner = smtp.connect(host, int(port))
        smtp.ehlo("client.sender.test")
        before = sorted(smtp.esmtp_features)
        smtp.starttls(context=_tls())
        smtp.ehlo("client.sender.test")
        return (
            f"{banner.decode()}\nbefore: {' '.join(before)}\nafter: {' '.join(sorted(smtp.esmtp_features))}"
        )


def read(host: str, port: str, user: str, password: str, subject: str) -> str:
    """The messages with this subject in the inbox, whole; IMAPS on 993, STARTTLS on 143. Empty when there is none."""
    imap = (
        imaplib.IMAP4_SSL(host, int(port), ssl_context=_tls(), timeout=_TIMEOUT)
        if port == "993"
        else imaplib.IMAP4(host, int(port), timeout=_TIMEOUT)
    )
    if port != "993":
        imap.starttls(_tls())
    imap.login(user, password)
    imap.select("INBOX")
    _, found = imap.search(None, "SUBJECT", f'"{subject}"')
    texts = []
    for number in found[0].split():
        _, parts = imap.fetch(number.decode(), "(RFC822)")
        texts.append(parts[0][1].decode(errors="replace"))
    imap.logout()
    return "\n".join(texts)


def subjects(host: str, user: str, password: str) -> str:
    """Subjects in the inbox, one a line."""
    imap = imaplib.IMAP4_SSL(host, 993, ssl_context=_tls(), timeout=_TIMEOUT)
    imap.login(user, password)
    imap.select("INBOX")
    _, found = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    imap.logout()
    lines = [part[1].decode().strip() for part in found if isinstance(part, tuple)]
    return "\n".join(line.removeprefix("Subject: ") for line in lines)


def plain_login(host: str, user: str, password: str) -> str:
    """Whether IMAP on 143 takes a password before TLS."""
    imap = imaplib.IMAP4(host, 143, timeout=_TIMEOUT)
    try:
        imap.login(user, password)
    except imaplib.IMAP4.error as refused:
        return f"refused: {refused}"
    return "accepted"


def sieve(host: str, port: str = "4190") -> str:
    """The greeting of ManageSieve, up to OK."""
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT) as connection:
        text = b""
        while b"OK" not in text:
            received = connection.recv(4096)
            if not received:
                break
            text += received
    return text.decode()


def http(url: str, address: str, *headers: str) -> str:
    """GET `url` at `address`: status, headers and body, without following redirects."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    handlers: list[urllib.request.BaseHandler] = [_Stay(), urllib.request.HTTPSHandler(context=_tls())]
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(f"{scheme}://{address}/{path}", headers={"Host": host})
    for header in headers:
        name, _, value = header.partition(": ")
        request.add_header(name, value)
    try:
        answer = opener.open(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        answer = error
    lines = [str(answer.status), *(f"{k}: {v}" for k, v in answer.headers.items()), ""]
    return "\n".join(lines) + answer.read(20_000).decode(errors="replace")


_COMMANDS = (receive, many, submit, ehlo, read, subjects, plain_login, sieve, http)

if __name__ == "__main__":
    chosen = {command.__name__: command for command in _COMMANDS}[sys.argv[1]]
    print(chosen(*sys.argv[2:]))
