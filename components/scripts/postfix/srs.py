"""SRS for Postfix: envelope senders of strangers, rewritten into our domain and back (libsrs2's forms, SRS0 and SRS1).

srs.py KEY OWN...: answers socketmap requests (socketmap_table(5)) on standard input, as spawn(8) starts it. KEY is the
file of the secret; the first of OWN is the domain that rewritten addresses get, the others are ours as well and stay.
`forward ADDRESS` gives the address that a redirect leaves with, `reverse ADDRESS` the one that a bounce goes to.

Runs on the image's Python (3.6 or newer), without anything beside it.
"""

import base64
import hashlib
import hmac
import re
import sys
import time

DAYS = 21
"""How long a bounce may take: longer than any queue holds a message."""
LONGEST = 64
"""Octets of a local part (RFC 5321 section 4.5.3.1.1). Large receivers refuse senders that have more."""
OVERFLOW = "redirected"
"""Local part of what would be longer. Its bounces reach the postmaster."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SLOTS = 1024  # the timestamp has two letters
_SRS0 = re.compile(r"SRS0[=+-]([A-Z2-7]{6})=([A-Z2-7]{2})=([^=@]+)=(.+)", re.IGNORECASE)
_SRS1 = re.compile(r"SRS1[=+-]([A-Z2-7]{6})=([^=@]+)=([=+-].+)", re.IGNORECASE)
_OTHERS_SRS0 = re.compile(r"SRS0([=+-].+)", re.IGNORECASE)
_OTHERS_SRS1 = re.compile(r"SRS1[=+-][^=]*=([^=@]+)=([=+-].+)", re.IGNORECASE)


def forward(address: str, key: bytes, own: "tuple[str, ...]", day: int) -> str:
    """The sender that a redirected message gets; empty where it keeps its own."""
    local, _, domain = address.rpartition("@")
    if not local or not domain or domain.lower() in own:
        return ""
    again, first = _OTHERS_SRS1.fullmatch(local), _OTHERS_SRS0.fullmatch(local)
    if again:
        # The servers between are skipped: the first one knows where the bounce goes (SRS1).
        found = _srs1(again.group(1), again.group(2), key)
    elif first:
        found = _srs1(domain, first.group(1), key)
    else:
        stamp = _stamp(day)
        found = f"SRS0={_hash(key, stamp, domain, local)}={stamp}={domain}={local}"
    return f"{found if len(found.encode()) <= LONGEST else OVERFLOW}@{own[0]}"


def reverse(address: str, key: bytes, own: "tuple[str, ...]", day: int) -> str:
    """The sender that `forward` was given; empty where it gave no such address, or too long ago."""
    local, _, domain = address.rpartition("@")
    if domain.lower() != own[0]:
        return ""
    ours, others = _SRS0.fullmatch(local), _SRS1.fullmatch(local)
    if ours:
        given, stamp, host, user = ours.groups()
        if hmac.compare_digest(given.upper(), _hash(key, stamp, host, user)) and _recent(stamp, day):
            return f"{user}@{host}"
    elif others:
        given, host, rest = others.groups()
        if hmac.compare_digest(given.upper(), _hash(key, host, rest)):
            return f"SRS0{rest}@{host}"
    return ""


def _srs1(host: str, rest: str, key: bytes) -> str:
    return f"SRS1={_hash(key, host, rest)}={host}={rest}"


def _hash(key: bytes, *parts: str) -> str:
    """Six letters: servers on the way may change capitals, so these say nothing."""
    text = "=".join(parts).lower().encode()
    return base64.b32encode(hmac.new(key, text, hashlib.sha256).digest())[:6].decode()


def _stamp(day: int) -> str:
    return _ALPHABET[day % _SLOTS >> 5] + _ALPHABET[day % _SLOTS & 31]


def _recent(stamp: str, day: int) -> bool:
    high, low = (_ALPHABET.index(letter) for letter in stamp.upper())
    return (day - (high << 5 | low)) % _SLOTS <= DAYS


def answer(request: str, key: bytes, own: "tuple[str, ...]", day: int) -> str:
    """The answer to one request."""
    name, _, address = request.partition(" ")
    found = {"forward": forward, "reverse": reverse}[name](address, key, own, day)
    return "OK " + found if found else "NOTFOUND "


def serve(key: bytes, own: "tuple[str, ...]") -> None:
    """Answers until Postfix closes the connection. What is no request ends it, and Postfix defers."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        length = b""
        while not length.endswith(b":"):
            letter = requests.read(1)
            if not letter:
                return
            length += letter
        request = requests.read(int(length[:-1]) + 1)[:-1].decode("utf-8", "surrogateescape")
        text = answer(request, key, own, int(time.time() // 86400)).encode("utf-8", "surrogateescape")
        answers.write(b"%d:%s," % (len(text), text))
        answers.flush()


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        serve(file.read().strip(), tuple(name.lower() for name in sys.argv[2:]))
