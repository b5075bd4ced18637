"""What Cyrus keeps about the messages of a folder: cyrus.index (flags, dates) and cyrus.header (names of the user's flags).

Numbers are big-endian at fixed places, each header and each record ends with its CRC-32. Places and lengths by version:
cyrus-imapd, imap/mailbox.h (OFFSET_*, FLAG_*) and imap/mailbox.c (mailbox_buf_to_index_header, mailbox_read_header) of
3.6.1 and 3.12.0, imap/index_file.c of 3.13 for all of them side by side. Whatever is read here has had one place from
version 12 to 19; version 20 has others.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from

from ops.mailbox import words

_LENGTHS = {
    12: (128, 96),
    13: (128, 104),
    14: (160, 104),
    15: (160, 104),
    **dict.fromkeys((16, 17, 18, 19), (160, 112)),
}
"""Version -> bytes of the header, and of each record."""
_VERSION, _START, _RECORD, _NUMBER, _LAST_UID = 8, 12, 16, 20, 28
_UID, _DATE, _SIZE, _FLAGS, _OWN_FLAGS, _GUID = 0, 4, 12, 32, 36, 60
_SYSTEM = {
    1 << 0: r"\Answered",
    1 << 1: r"\Flagged",
    1 << 2: r"\Deleted",
    1 << 3: r"\Draft",
    1 << 4: r"\Seen",
}
_UNLINKED, _EXPUNGED = 1 << 30, 1 << 31
_MAGIC = b"\xa1\x02\x8b\x0dCyrus mailbox header\n"
_MOTTO_LINES = 2
_MOST_FLAGS = 128


class Broken(ValueError):
    """What is wrong with a file, without its name."""


@dataclass(frozen=True)
class Entry:
    """A message that its owner sees."""

    uid: int
    flags: tuple[str, ...]
    date: int
    """INTERNALDATE, seconds since 1970."""
    size: int
    """Bytes."""
    guid: str
    """SHA-1 of the message, in hexadecimal."""


@dataclass(frozen=True)
class Index:
    """The messages of a folder in their order. Messages above `last_uid` came after it was written."""

    last_uid: int
    entries: tuple[Entry, ...]


def read(index: bytes, header: bytes) -> Index:
    """The index of a folder. Raises Broken."""
    names = flag_names(header)
    if len(index) < _NUMBER + 4:
        raise Broken("it is cut off")
    (version,) = unpack_from(">I", index, _VERSION)
    if version not in _LENGTHS:
        raise Broken(f"it has version {version}, of which 12 to 19 can be read")
    head, record = _LENGTHS[version]
    start, length, number, _, last_uid = unpack_from(">5I", index, _START)
    if (start, length) != (head, record):
        raise Broken(f"its records do not have the length of version {version}")
    if len(index) < head + number * record:
        raise Broken("it is cut off")
    _checked(index[:head], "its header")
    entries = []
    for at in range(head, head + number * record, record):
        _checked(index[at : at + record], f"record {(at - head) // record + 1}")
        (flags,) = unpack_from(">I", index, at + _FLAGS)
        if not flags & (_UNLINKED | _EXPUNGED):
            entries.append(_entry(index, at, flags, names))
    if any(one.uid >= other.uid for one, other in itertools.pairwise(entries)):
        raise Broken("its messages are not in order")
    return Index(last_uid, tuple(entries))


def flag_names(header: bytes) -> tuple[str | None, ...]:
    """The user's flags by their numbers; None where one was removed. Raises Broken."""
    if not header.startswith(_MAGIC):
        raise Broken("cyrus.header does not begin like one")
    *_, rest = header.removeprefix(_MAGIC).split(b"\n", _MOTTO_LINES)
    try:
        found = _names(rest)
        names = tuple(None if each is None else each.decode("ascii") for each in found)
    except ValueError:
        raise Broken("cyrus.header cannot be read") from None
    if len(names) > _MOST_FLAGS:
        raise Broken("cyrus.header names too many flags")
    return names


def _names(rest: bytes) -> list[bytes | None]:
    """Below the motto: a list of keys and values; before 3.6 one line for quota and id, and one for the flags."""
    if not rest.startswith(b"%("):
        lines = rest.split(b"\n")
        return [each or None for each in lines[1].split(b" ")] if len(lines) > 1 else []
    (pairs,) = words.read(rest)
    if not isinstance(pairs, list) or len(pairs) % 2:
        raise ValueError
    flags = next((value for key, value in zip(pairs[::2], pairs[1::2], strict=True) if key == b"U"), None)
    return [each for each in flags if not isinstance(each, list)] if isinstance(flags, list) else []


def _entry(index: bytes, at: int, flags: int, names: tuple[str | None, ...]) -> Entry:
    uid, date = unpack_from(">2I", index, at + _UID)
    (size,) = unpack_from(">I", index, at + _SIZE)
    system = (name for bit, name in _SYSTEM.items() if flags & bit)
    own = tuple(_own(index, at, names))
    return Entry(uid, (*system, *own), date, size, index[at + _GUID : at + _GUID + 20].hex())


def _own(index: bytes, at: int, names: tuple[str | None, ...]) -> Iterator[str]:
    """Flag n is bit n % 32 of the n // 32nd number."""
    bits = unpack_from(">4I", index, at + _OWN_FLAGS)
    for number, name in enumerate(names):
        if name is not None and bits[number // 32] & (1 << number % 32):
            yield name


def _checked(part: bytes, what: str) -> None:
    if unpack_from(">I", part, len(part) - 4)[0] != zlib.crc32(part[:-4]):
        raise Broken(f"the checksum of {what} is wrong")
