"""IMAP with an imapd whose standard input and output are these pipes (RFC 9051): what a restore needs of it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from ops.mailbox import words
from ops.mailbox.plan import Quota, internal_date
from ops.mailbox.words import Word, quoted
from ops.stacks import StackProblem

_COMMENT = "/shared/comment"
_LITERAL = re.compile(rb"\{(\d+)\}\r?\n$")
_OWN_FLAG = re.compile(r"[^\s(){%*\"\\\x00-\x1f\x7f-\uffff]+")
_KIB = 1024


class Refused(Exception):
    """What the server says to a command that it does not do."""


class Gone(StackProblem):
    """The server has ended the session."""


@dataclass(frozen=True)
class Message:
    """A message to be brought to a folder."""

    folder: str
    uid: int
    """Its number in the backup, for people."""
    flags: tuple[str, ...]
    date: int
    text: bytes


class Session:
    """A login. Every method raises Gone when the server goes away."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader, self._writer = reader, writer
        self._tags = (b"k%d" % number for number in itertools.count(1))

    def login(self, user: str) -> None:
        """Begins. The server asks for no password. Raises StackProblem when it lets nobody in."""
        greeting = self._line()
        if not greeting.startswith(b"* OK"):
            raise StackProblem(f"Cyrus does not begin a session: {_text(greeting)}")
        self._must(b"LOGIN", user, "-")

    def logout(self) -> None:
        """Ends, when all that was asked for is done."""
        self._write(b"bye LOGOUT\r\n")
        while (line := self._reader.readline()) and not line.startswith(b"bye "):
            pass

    def quota(self) -> Quota | None:
        """Of the mailbox; None without one."""
        for line in self._must(b"GETQUOTAROOT", "INBOX"):
            kind, values = line[1], line[-1]
            if kind == b"QUOTA" and isinstance(values, list) and b"STORAGE" in values:
                at = values.index(b"STORAGE")
                used, most = (int(_word(each)) * _KIB for each in values[at + 1 : at + 3])
                return Quota(used, most)
        return None

    def mark(self, folder: str) -> str | None:
        """The comment at a folder, "" without one; None when there is no such folder."""
        try:
            lines = self._ask(b"GETMETADATA", folder, _COMMENT)
        except Refused:
            return None
        values = [line[-1] for line in lines if line[1] == b"METADATA"]
        pairs = values[0] if values and isinstance(values[0], list) else []
        return pairs[1].decode(errors="replace") if len(pairs) > 1 and isinstance(pairs[1], bytes) else ""

    def create(self, folder: str, mark: str | None = None) -> None:
        """A folder that mail programs show, with a comment. Raises Refused."""
        self._ask(b"CREATE", folder)
        self._ask(b"SUBSCRIBE", folder)
        if mark is not None:
            self._send(
                b"SETMETADATA " + quoted(folder) + b" (" + _COMMENT.encode() + b" " + quoted(mark) + b")"
            )
            self._answer()

    def digests(self, folder: str) -> Counter[str] | None:
        """SHA-1 of each message in a folder (Cyrus' own DIGEST.SHA1); None when there is no such folder."""
        try:
            lines = self._ask(b"EXAMINE", folder)
        except Refused:
            return None
        # Of an empty folder there is no first message to ask for.
        if any(line[1:] == [b"0", b"EXISTS"] for line in lines):
            return Counter()
        self._send(b"UID FETCH 1:* (DIGEST.SHA1)")
        found = Counter[str]()
        for line in self._done():
            items = line[-1]
            if line[2:3] == [b"FETCH"] and isinstance(items, list) and b"DIGEST.SHA1" in items:
                found[_word(items[items.index(b"DIGEST.SHA1") + 1])] += 1
        return found

    def append(self, messages: Iterable[Message]) -> Iterator[tuple[Message, str | None]]:
        """Brings messages to folders, and says of each why it was refused, or None.

        Literals wait for the server's word: of one that it does not want it would take the text for commands. The next
        command goes out with the last text, so that a message takes one way there and back.
        """
        waiting: tuple[Message, bytes] | None = None
        for each in messages:
            tag = next(self._tags)
            before = waiting[0].text + b"\r\n" if waiting else b""
            self._write(before + tag + b" " + append_line(each) + b"\r\n")
            if waiting:
                yield waiting[0], self._refusal(waiting[1])
            line = self._line()
            while line.startswith(b"* "):
                line = self._line()
            waiting = (each, tag) if line.startswith(b"+") else None
            if waiting is None:
                yield each, _text(line.removeprefix(tag))
        if waiting:
            self._write(waiting[0].text + b"\r\n")
            yield waiting[0], self._refusal(waiting[1])

    def _must(self, command: bytes, *arguments: str) -> list[list[Word]]:
        try:
            return self._ask(command, *arguments)
        except Refused as refused:
            raise StackProblem(f"Cyrus refuses {command.decode()}: {refused}") from None

    def _ask(self, command: bytes, *arguments: str) -> list[list[Word]]:
        self._send(b" ".join((command, *map(quoted, arguments))))
        return self._answer()

    def _done(self) -> list[list[Word]]:
        try:
            return self._answer()
        except Refused as refused:
            raise StackProblem(f"Cyrus does not tell what is in a folder: {refused}") from None

    def _send(self, command: bytes) -> None:
        self._tag = next(self._tags)
        self._write(self._tag + b" " + command + b"\r\n")

    def _answer(self) -> list[list[Word]]:
        """The lines before the last, which says that it was done. Raises Refused."""
        found = []
        while not (line := self._line()).startswith(self._tag + b" "):
            try:
                found.append(words.read(line))
            except ValueError:
                # Words for people may hold anything.
                continue
        if not line.startswith(self._tag + b" OK"):
            raise Refused(_text(line.removeprefix(self._tag)))
        return [each for each in found if len(each) > 1]

    def _refusal(self, tag: bytes) -> str | None:
        line = self._line()
        while not line.startswith(tag + b" "):
            line = self._line()
        return None if line.startswith(tag + b" OK") else _text(line.removeprefix(tag))

    def _line(self) -> bytes:
        """One line with its literals."""
        line = self._reader.readline()
        while literal := _LITERAL.search(line):
            line += self._reader.read(int(literal[1])) + self._reader.readline()
        if not line.endswith(b"\n") or line.startswith(b"* BYE"):
            raise Gone(
                f"Cyrus has ended the session ({_text(line.removeprefix(b'* ')) or 'without a word'}); give the same command"
                " again: what has arrived does not come twice"
            )
        return line

    def _write(self, text: bytes) -> None:
        try:
            self._writer.write(text)
            self._writer.flush()
        except OSError:
            self._line()
            raise Gone("Cyrus reads no more; give the same command again") from None


def append_line(message: Message) -> bytes:
    """APPEND up to its literal. A flag that no client could set is left out."""
    flags = " ".join(each for each in message.flags if each.startswith("\\") or _OWN_FLAG.fullmatch(each))
    date = internal_date(message.date)
    return b"APPEND " + quoted(message.folder) + f" ({flags}) {date} {{{len(message.text)}}}".encode("ascii")


def _text(line: bytes) -> str:
    return " ".join(line.decode(errors="replace").split())[:200]


def _word(word: Word) -> str:
    return word.decode(errors="replace") if isinstance(word, bytes) else ""
