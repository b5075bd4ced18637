"""A mailbox from the outside: filled, and told again whole, as its owner's mail program sees it."""

from __future__ import annotations

import hashlib
import imaplib
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

from tests.acceptance.client.mail import _authenticate, _imap, _managesieve

_AT_ONCE = 4
_FOLDERS = ("INBOX", "Kept", "Kept/Very old &AOQ-")
_FLAGS = ("", r"(\Seen)", r"(\Seen \Flagged)", r"(\Answered $Work)")
_DAY = 24 * 3600


def fill(password: str, host: str, each: str, *users: str) -> str:
    """So many messages for everybody, in several folders, with several flags and dates; one folder is shared with the
    next user. How many there are now."""

    def one(user: str) -> int:
        imap = _imap(host, "993")
        imap.login(user, password)
        for folder in _FOLDERS[1:]:
            imap.create(f'"{folder}"')
        other = users[(users.index(user) + 1) % len(users)]
        _well(imap.setacl('"Kept"', other, "lrs"))
        for number in range(int(each)):
            body = f"{user} {number} ".encode() * (20 + number % 200)
            head = f"From: {user}\r\nSubject: {number}\r\nDate: {formatdate(number * _DAY)}\r\n\r\n".encode()
            when = imaplib.Time2Internaldate(time.time() - number * _DAY)
            flags, folder = _FLAGS[number % len(_FLAGS)], _FOLDERS[number % len(_FOLDERS)]
            _well(imap.append(f'"{folder}"', flags, when, head + body + b"\r\n"))
        imap.logout()
        return int(each)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return str(sum(pool.map(one, users)))


def contents(password: str, host: str, *users: str) -> str:
    """JSON: user -> folder -> what the folder holds: its rights, and a digest of each message with flags and date."""

    def one(user: str) -> dict[str, list[str]]:
        imap = _imap(host, "993")
        imap.login(user, password)
        _, listed = imap.list()
        folders = [re.sub(rb'.*\) "/" ', b"", line).decode() for line in listed if isinstance(line, bytes)]
        found = {folder: _folder(imap, folder) for folder in folders}
        imap.logout()
        return found

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return json.dumps(dict(zip(users, pool.map(one, users), strict=True)))


def _folder(imap: imaplib.IMAP4, folder: str) -> list[str]:
    _, [rights] = imap.getacl(folder)
    _, [number] = imap.select(folder, readonly=True)
    if number == b"0":
        return [str(rights)]
    _, parts = imap.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
    told = [part for part in parts if isinstance(part, tuple)]
    return [str(rights), *sorted(map(_message, told))]


def _message(part: tuple[bytes, bytes]) -> str:
    head, body = part
    date = re.findall(rb'INTERNALDATE "([^"]+)"', head)
    flags = sorted(set(re.findall(rb"FLAGS \(([^)]*)\)", head)[0].split()) - {rb"\Recent"})
    return f"{hashlib.sha256(body).hexdigest()[:16]} {date[0].decode()} {b' '.join(flags).decode()}"


def scripts(host: str, user: str, password: str) -> str:
    """The Sieve script `own` (RFC 5804 section 2.9), as the server keeps it."""
    with _managesieve(host) as (_, _, secure):
        _said(secure, _authenticate(user, password))
        return _said(secure, b'GETSCRIPT "own"')


def _said(connection: socket.socket, command: bytes) -> str:
    connection.sendall(command + b"\r\n")
    text = b""
    while not re.search(rb"^(OK|NO|BYE)\b.*\r\n\Z", text, re.MULTILINE):
        more = connection.recv(65536)
        if not more:
            break
        text += more
    return text.decode()


def _well(answer: tuple[str, object]) -> None:
    if answer[0] != "OK":
        raise RuntimeError(f"the server answers {answer}")
