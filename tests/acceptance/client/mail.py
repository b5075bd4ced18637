"""SMTP, IMAP and ManageSieve. Hosts are names: the lab's DNS says where they lead, and certificates must hold them."""

from __future__ import annotations

import base64
import hashlib
import imaplib
import itertools
import re
import smtplib
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.acceptance.client.tls import careful, careless

_TIMEOUT = 20


def _message(sender: str, recipient: str, subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(f"This is {subject}.\n")
    return message


def receive(host: str, sender: str, recipient: str, subject: str) -> str:
    """Hands one message to port 25 as a stranger does; an empty sender makes it a bounce. Prints the last answer."""
    message = _message(sender or "mailer-daemon@sender.test", recipient, subject)
    return raw(host, sender, recipient, message.as_string())


def raw(host: str, sender: str, recipient: str, message: str) -> str:
    """Hands a message over as it is."""
    with smtplib.SMTP(host, 25, local_hostname="client.sender.test", timeout=_TIMEOUT) as smtp:
        smtp.starttls(context=careful())
        return _send(smtp, sender, recipient, message)


def mx_key(host: str) -> str:
    """SHA-256 of the public key that port 25 shows, as DANE names it (RFC 7671 section 5.1: 3 1 1)."""
    with smtplib.SMTP(host, 25, local_hostname="client.sender.test", timeout=_TIMEOUT) as smtp:
        smtp.starttls(context=careful())
        assert isinstance(smtp.sock, ssl.SSLSocket)
        shown = smtp.sock.getpeercert(binary_form=True)
    assert shown
    public = x509.load_der_x509_certificate(shown).public_key()
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(public.public_bytes(*form)).hexdigest()


def stream(host: str, recipient: str, prefix: str, least: str, until: str) -> str:
    """Hands messages over one after another, at least so many and until the file `until` exists.

    Prints the subjects that were acknowledged with 250: for those the server has taken responsibility (RFC 5321
    section 4.2.5). A real sender would try the others again.
    """
    return _stream(
        lambda subject: receive(host, "stranger@sender.test", recipient, subject), prefix, least, until
    )


def submit_stream(host: str, user: str, password: str, recipient: str, prefix: str, until: str) -> str:
    """The same for mail of a user's own on port 465, one message a second as a person's programs write."""

    def write(subject: str) -> str:
        time.sleep(1)
        return submit(host, "465", user, password, user, recipient, subject)

    return _stream(write, prefix, "1", until)


def _stream(write: Callable[[str], str], prefix: str, least: str, until: str) -> str:
    accepted: list[str] = []
    numbers = itertools.count()
    while len(accepted) < int(least) or not Path(until).exists():
        subject = f"{prefix}-{next(numbers)}"
        if _acknowledged(write, subject):
            accepted.append(subject)
        else:
            time.sleep(0.5)
    return "\n".join(accepted)


def _acknowledged(write: Callable[[str], str], subject: str) -> bool:
    try:
        return write(subject).startswith("250")
    except (OSError, smtplib.SMTPException):
        return False


def submit(host: str, port: str, user: str, password: str, sender: str, recipient: str, subject: str) -> str:
    """Submits one message with a password: implicit TLS on 465, STARTTLS elsewhere. Prints the last answer."""
    with _submission(host, port) as smtp:
        smtp.login(user, password)
        return _send(smtp, sender, recipient, _message(sender, recipient, subject).as_string())


def submit_anonymously(host: str, port: str, sender: str, recipient: str) -> str:
    """The same without a password."""
    with _submission(host, port) as smtp:
        return _send(smtp, sender, recipient, _message(sender, recipient, "nobody").as_string())


def _submission(host: str, port: str) -> smtplib.SMTP:
    options: dict[str, Any] = {"local_hostname": "laptop.sender.test", "timeout": _TIMEOUT}
    if port == "465":
        return smtplib.SMTP_SSL(host, 465, context=careful(), **options)
    smtp = smtplib.SMTP(host, int(port), **options)
    smtp.starttls(context=careful())
    return smtp


def _send(smtp: smtplib.SMTP, sender: str, recipient: str, message: str) -> str:
    try:
        smtp.sendmail(sender, [recipient], message)
    except smtplib.SMTPRecipientsRefused as refused:
        code, text = next(iter(refused.recipients.values()))
        return f"{code} {text.decode()}"
    except smtplib.SMTPResponseException as refused:
        return f"{refused.smtp_code} {refused.smtp_error!r}"
    return "250 accepted"


def ehlo(host: str, port: str) -> str:
    """The banner and what the server offers, before and after STARTTLS."""
    with smtplib.SMTP(timeout=_TIMEOUT) as smtp:
        smtp._host = host  # type: ignore[attr-defined] # where STARTTLS takes the server's name from
        _, banner = smtp.connect(host, int(port))
        smtp.ehlo("client.sender.test")
        before = sorted(smtp.esmtp_features)
        smtp.starttls(context=careful())
        smtp.ehlo("client.sender.test")
        after = sorted(smtp.esmtp_features)
    return f"{banner.decode()}\nbefore: {' '.join(before)}\nafter: {' '.join(after)}"


def read(host: str, port: str, user: str, password: str, subject: str) -> str:
    """The messages with this subject in the inbox, whole; IMAPS on 993, STARTTLS on 143. Empty when there is none."""
    imap = _imap(host, port)
    imap.login(user, password)
    imap.select("INBOX")
    _, found = imap.search(None, "SUBJECT", f'"{subject}"')
    texts = []
    for number in found[0].split():
        _, parts = imap.fetch(number.decode(), "(RFC822)")
        texts.append(parts[0][1].decode(errors="replace"))  # type: ignore[index,union-attr]
    imap.logout()
    return "\n".join(texts)


def subjects(host: str, user: str, password: str) -> str:
    """Subjects in the inbox, one a line."""
    imap = _imap(host, "993")
    imap.login(user, password)
    imap.select("INBOX")
    _, found = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    imap.logout()
    lines = [part[1].decode().strip() for part in found if isinstance(part, tuple)]
    return "\n".join(line.removeprefix("Subject: ") for line in lines)


def room(host: str, user: str, password: str) -> str:
    """How much may lie in a mailbox, KiB (RFC 9208)."""
    imap = _imap(host, "993")
    imap.login(user, password)
    _, found = imap.getquotaroot("INBOX")
    imap.logout()
    return re.findall(r"STORAGE \d+ (\d+)", str(found))[0]


def stay(host: str, user: str, password: str) -> str:
    """Logs in, says so, and stays until the server ends the session."""
    imap = _imap(host, "993")
    imap.login(user, password)
    imap.select("INBOX")
    print("logged in", flush=True)
    try:
        while imap.noop()[0] == "OK":
            time.sleep(0.5)
    except (OSError, imaplib.IMAP4.abort):
        return "ended"
    return "refused"


def _imap(host: str, port: str) -> imaplib.IMAP4:
    if port == "993":
        return imaplib.IMAP4_SSL(host, 993, ssl_context=careful(), timeout=_TIMEOUT)
    imap = imaplib.IMAP4(host, int(port), timeout=_TIMEOUT)
    imap.starttls(careful())
    return imap


def plain_login(host: str, user: str, password: str) -> str:
    """Whether IMAP on 143 takes a password before TLS."""
    imap = imaplib.IMAP4(host, 143, timeout=_TIMEOUT)
    try:
        imap.login(user, password)
    except imaplib.IMAP4.error as refused:
        return f"refused: {refused}"
    return "accepted"


def old_tls(host: str, port: str) -> str:
    """Whether somebody speaks TLS 1.1 or older: after STARTTLS on 25, at once elsewhere."""
    context = careless()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        if port == "25":
            with smtplib.SMTP(host, 25, local_hostname="client.sender.test", timeout=_TIMEOUT) as smtp:
                smtp.starttls(context=context)
        else:
            with socket.create_connection((host, int(port)), timeout=_TIMEOUT) as connection:
                context.wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLError as refused:
        return f"refused: {refused.reason}"
    return "spoken"


def sieve(host: str) -> str:
    """The capabilities of ManageSieve before STARTTLS, and after it with the name in its certificate checked."""
    with _managesieve(host) as (before, after, _):
        return f"before:\n{before}\nafter:\n{after}"


def sieve_login(host: str, user: str, password: str) -> str:
    """What ManageSieve answers to a password (RFC 5804 section 2.1)."""
    with _managesieve(host) as (_, _, secure):
        secure.sendall(_authenticate(user, password) + b"\r\n")
        return secure.recv(4096).decode()


def sieve_script(host: str, user: str, password: str, script: str) -> str:
    """Puts a script in force (RFC 5804). Prints the last answer."""
    text = script.encode()
    commands = (
        _authenticate(user, password),
        b'PUTSCRIPT "own" {%d+}\r\n%s' % (len(text), text),
        b'SETACTIVE "own"',
    )
    with _managesieve(host) as (_, _, secure):
        answer = ""
        for command in commands:
            secure.sendall(command + b"\r\n")
            answer = _line_of_verdict(secure)
            if not answer.startswith("OK"):
                break
        return answer


@contextmanager
def _managesieve(host: str) -> Iterator[tuple[str, str, socket.socket]]:
    """A session after STARTTLS: what was said before it, what after it, and where it goes on."""
    with socket.create_connection((host, 4190), timeout=_TIMEOUT) as connection:
        before = _until_ok(connection)
        connection.sendall(b"STARTTLS\r\n")
        _until_ok(connection)
        with careful().wrap_socket(connection, server_hostname=host) as secure:
            yield before, _until_ok(secure), secure


def _authenticate(user: str, password: str) -> bytes:
    given = base64.b64encode(f"\0{user}\0{password}".encode())
    return b'AUTHENTICATE "PLAIN" "%s"' % given


def _line_of_verdict(connection: socket.socket) -> str:
    with connection.makefile("r") as lines:
        return next((line.strip() for line in lines if line.startswith(("OK", "NO", "BYE"))), "closed")


def _until_ok(connection: socket.socket) -> str:
    text = b""
    while b"OK" not in text:
        received = connection.recv(4096)
        if not received:
            break
        text += received
    return text.decode()
