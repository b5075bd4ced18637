"""Macros of SPF: names that the receiver fills in (RFC 7208 section 7)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MACRO = re.compile(r"%(?:\{([slodipvh])([1-9]\d{0,2})?(r?)([.+,/_=-]*)\}|([%_-]))", re.IGNORECASE)
_LITERAL = {"%": "%", "_": " ", "-": "%20"}
_LONGEST = 253
SENDER = "postmaster"
"""Local part of a sender that has none (section 4.3)."""


def are_known(spec: str) -> bool:
    """Whether every % in it begins a macro that may stand in a name."""
    return "%" not in _MACRO.sub("", spec)


@dataclass(frozen=True)
class Mail:
    """What a receiver knows of a mail."""

    address: Address
    sender: str
    """Domain in MAIL FROM."""
    helo: str


def expand(spec: str, mail: Mail, domain: str, confirmed: Callable[[], str]) -> str:
    """The name that is asked. `domain` has the record; `confirmed` names the address (for p)."""

    def replaced(match: re.Match[str]) -> str:
        if match[5]:
            return _LITERAL[match[5]]
        letter = match[1].lower()
        values = {
            "s": f"{SENDER}@{mail.sender}",
            "l": SENDER,
            "o": mail.sender,
            "d": domain,
            "i": dotted(mail.address),
            "v": "in-addr" if mail.address.version == 4 else "ip6",
            "h": mail.helo,
        }
        value = confirmed() if letter == "p" else values[letter]
        parts = re.split(f"[{re.escape(match[4] or '.')}]", value)
        if match[3]:
            parts.reverse()
        shown = ".".join(parts[-int(match[2]) :] if match[2] else parts)
        return quote(shown, safe="") if match[1].isupper() else shown

    name = _MACRO.sub(replaced, spec).rstrip(".").lower()
    while len(name) > _LONGEST and "." in name:
        name = name.partition(".")[2]
    return name


def dotted(address: Address) -> str:
    """Octets of IPv4, nibbles of IPv6."""
    return str(address) if address.version == 4 else ".".join(address.exploded.replace(":", ""))
