"""Messages that the filter keeps from people, in all replicas of Postfix. What strangers wrote of them is only looked at."""

from __future__ import annotations

import base64
import datetime
import email
import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from components import entry
from model.settings import Settings
from ops.kubectl import Kubectl
from ops.queue.messages import everywhere
from ops.stacks import StackProblem

_NAME = re.compile(r"(?P<kind>virus|spam)-(?P<id>[A-Za-z0-9][A-Za-z0-9_-]{4,61}[A-Za-z0-9])")
_ADDRESS = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^"<>\s])*)>')
_VIRUS = re.compile(r"virus:\s*(.+)")
_SCRIPT = "quarantine.pl"
_PERL = "perl"


@dataclass(frozen=True)
class Kept:
    """A message that is kept. `why` is the name of a virus, or a score; whatever a stranger wrote has no control characters."""

    pod: str
    id: str
    kind: str
    """virus or spam."""
    since: datetime.datetime
    size: int
    """In bytes, with its header."""
    why: str
    sender: str
    recipients: tuple[str, ...]
    """Those who did not get it."""
    subject: str
    header: tuple[tuple[str, str], ...]
    """Fields in their order, the filter's own first."""

    @property
    def file(self) -> str:
        """Its name in the quarantine."""
        return f"{self.kind}-{self.id}"


def checked(identity: str) -> str:
    """An id. Raises StackProblem for what is none."""
    if not _NAME.fullmatch(f"virus-{identity}"):
        raise StackProblem(f"{identity!r} is no id of a kept message; ./kolab quarantine list shows them")
    return identity


def asked(cluster: Kubectl, pod: str, *words: str, seconds: int = 120) -> str:
    """What the script beside Amavis answers. Raises StackProblem with its sentence."""
    return cluster.execute(pod, "amavis", *entry.command(_SCRIPT, *words, interpreter=_PERL), seconds=seconds)


def look(cluster: Kubectl, settings: Settings) -> tuple[list[Kept], dict[str, StackProblem]]:
    """What is kept everywhere, the oldest first, and which replicas do not tell."""
    found, silent = everywhere(settings, lambda pod: read(pod, asked(cluster, pod, "list")))
    return sorted(found, key=lambda each: each.since), silent


def read(pod: str, text: str) -> list[Kept]:
    """What `quarantine.pl list` prints: a line for each file. Lines that it does not write are left out."""
    return [found for line in text.splitlines() if (found := _read(pod, line.split(" ")))]


def _read(pod: str, words: list[str]) -> Kept | None:
    name = _NAME.fullmatch(words[0])
    if not name or len(words) != len(("name", "modified", "bytes", "header")):
        return None
    message = email.message_from_bytes(base64.b64decode(words[3]))
    virus = _VIRUS.search(_first(message, "X-Amavis-Alert"))
    score = _first(message, "X-Spam-Score") or "unknown"
    return Kept(
        pod=pod,
        id=name["id"],
        kind=name["kind"],
        since=datetime.datetime.fromtimestamp(int(words[1]), datetime.UTC),
        size=int(words[2]),
        why=(virus[1] if virus else "a virus") if name["kind"] == "virus" else f"score {score}",
        sender=next(iter(_ADDRESS.findall(_first(message, "X-Envelope-From"))), ""),
        recipients=tuple(
            _ADDRESS.findall(_first(message, "X-Envelope-To-Blocked"))
            or _ADDRESS.findall(_first(message, "X-Envelope-To"))
        ),
        subject=_decoded(_first(message, "Subject")),
        header=tuple((clean(field), _decoded(_text(value))) for field, value in message.raw_items()),
    )


def _first(message: Message, name: str) -> str:
    """The topmost field of a name: the filter writes above what the sender wrote. Empty when there is none."""
    found = (value for field, value in message.raw_items() if field.lower() == name.lower())
    return _text(next(found, ""))


def _text(value: object) -> str:
    """A field with its bytes as UTF-8 (RFC 6532)."""
    return clean(str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _decoded(text: str) -> str:
    """Encoded words (RFC 2047) as what they say, or the field as it is where they say nothing."""
    try:
        return clean(str(make_header(decode_header(text))))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return text


def clean(text: str) -> str:
    """On one line, and without what moves a terminal's cursor or turns the direction of writing."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())
