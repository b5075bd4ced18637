"""Words of IMAP (RFC 9051, section 9), in which Cyrus also writes cyrus.header: atoms, strings, literals, lists."""

from __future__ import annotations

import re
from typing import TypeAlias

Word: TypeAlias = "bytes | list[Word] | None"
_ATOM = re.compile(rb"[^\s()\"]+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n]|\\.)*)"')
_LITERAL = re.compile(rb"\{(\d+)\+?\}\r?\n")
_DEEPEST = 20
"""Lists in lists; real lines have three."""


def read(text: bytes) -> list[Word]:
    """The words of a line; NIL is None, a list of keys and values (`%(`) is a list. Raises ValueError where it is none."""
    found, at = _list(text, 0, 0)
    if at != len(text):
        raise ValueError("a list ends that has not begun")
    return found


def _list(text: bytes, at: int, depth: int) -> tuple[list[Word], int]:
    """Words up to the end of the text, or of the list that has begun before `at`."""
    if depth > _DEEPEST:
        raise ValueError("lists are nested too deep")
    found: list[Word] = []
    while at < len(text):
        if text[at : at + 1].isspace():
            at += 1
        elif text[at : at + 1] == b")":
            return found, at
        elif text.startswith((b"(", b"%("), at):
            inner, at = _list(text, text.index(b"(", at) + 1, depth + 1)
            if at >= len(text):
                raise ValueError("a list does not end")
            found.append(inner)
            at += 1
        else:
            word, at = _string(text, at)
            found.append(word)
    return found, at


def _string(text: bytes, at: int) -> tuple[bytes | None, int]:
    if quoted := _QUOTED.match(text, at):
        return re.sub(rb"\\(.)", rb"\1", quoted[1]), quoted.end()
    if literal := _LITERAL.match(text, at):
        end = literal.end() + int(literal[1])
        if end > len(text):
            raise ValueError("a literal is cut off")
        return text[literal.end() : end], end
    atom = _ATOM.match(text, at)
    if atom is None:
        raise ValueError("a string does not end")
    return (None if atom[0] == b"NIL" else atom[0]), atom.end()


def quoted(text: str) -> bytes:
    """A string as an argument. Raises ValueError for what no name holds (RFC 9051: TEXT-CHAR, 7 bits)."""
    if not text.isascii() or any(ord(each) < 32 or ord(each) == 127 for each in text):
        raise ValueError(f"{text!r} has signs that no name of a folder may have")
    return b'"' + re.sub(rb'(["\\])', rb"\\\1", text.encode("ascii")) + b'"'
