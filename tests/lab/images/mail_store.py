"""A person with a mailbox, as a program for the network of the containers: `fill` makes mail, `read` prints all of it.

python -m tests.lab.images.mail_store ADDRESS fill|read USER [MESSAGES]
"""

from __future__ import annotations

import hashlib
import imaplib
import json
import re
import sys

FOLDERS = ("INBOX", "Projects", "Projects/2026", "Drafts")
_FLAGS = ("", r"\Seen", r"\Seen \Flagged", r"\Answered $Important")


def main(arguments: list[str]) -> None:
    """Runs one of the commands."""
    address, command, user, *rest = arguments
    connection = imaplib.IMAP4(address, 11143, timeout=120)
    connection.login(user, "secret1")
    if command == "fill":
        _fill(connection, int(rest[0]), rest[1] if len(rest) > 1 else "first")
    else:
        print(json.dumps(_read(connection)))
    connection.logout()


def _fill(connection: imaplib.IMAP4, number: int, batch: str) -> None:
    for folder in FOLDERS[1:]:
        connection.create(_quoted(folder))
    for n in range(number):
        text = f"From: a@example.org\r\nSubject: {batch} {n}\r\nMessage-Id: <{batch}-{n}@example.org>\r\n\r\n{'x' * (n * 37 % 4000)}\r\n"
        folder = FOLDERS[n % len(FOLDERS)]
        code, answer = connection.append(
            _quoted(folder), f"({_FLAGS[n // 4 % len(_FLAGS)]})", None, text.encode()
        )
        if code != "OK":
            raise SystemExit(f"append to {folder}: {answer!r}")


def _read(connection: imaplib.IMAP4) -> dict[str, list[list[str]]]:
    """Folder -> for each message its UID, flags and the digest of its text."""
    found = {}
    for line in connection.list()[1]:
        assert isinstance(line, bytes)
        name = line.decode().rpartition(' "/" ')[2].strip('"')
        code, _ = connection.select(_quoted(name), readonly=True)
        if code != "OK":
            raise SystemExit(f"{name} cannot be opened")
        messages = []
        _, parts = connection.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
        for part in parts:
            if isinstance(part, tuple):
                head = part[0].decode()
                uid, flags = re.search(r"UID (\d+)", head), re.search(r"FLAGS \(([^)]*)\)", head)
                assert uid is not None
                assert flags is not None
                kept = sorted(set(flags[1].split()) - {r"\Recent"})
                messages.append([uid[1], " ".join(kept), hashlib.sha256(part[1]).hexdigest()])
        found[name] = messages
    return found


def _quoted(name: str) -> str:
    return f'"{name}"'


if __name__ == "__main__":
    main(sys.argv[1:])
