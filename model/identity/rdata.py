"""The value of each record type: typed fields, presentation text, and the parser that reads the text back.

Names are kept as DNS compares them: lower case, A-labels, no final dot; "." alone is the root, which null MX
(RFC 7505) and negative SRV (RFC 2782) point to. Presentation format: RFC 1035 section 5.1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from model.identity.presentation import absolute, chunked, quoted, relative, tokens

ROOT = "."
Data = Mapping[str, int | str]


@dataclass(frozen=True)
class A:
    """IPv4 address (RFC 1035 section 3.4.1)."""

    type: ClassVar[str] = "A"
    address: ipaddress.IPv4Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True)
class AAAA:
    """IPv6 address (RFC 3596)."""

    type: ClassVar[str] = "AAAA"
    address: ipaddress.IPv6Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True)
class MX:
    """Host that takes mail for the name (RFC 5321 section 5); `MX(0, ROOT)` says that none does (RFC 7505)."""

    type: ClassVar[str] = "MX"
    preference: int
    exchange: str

    def __str__(self) -> str:
        return f"{self.preference} {absolute(self.exchange)}"


@dataclass(frozen=True)
class TXT:
    """Text, kept whole. On the wire it is strings of at most 255 bytes, joined without blanks (RFC 7208 section 3.3)."""

    type: ClassVar[str] = "TXT"
    text: str

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """The strings of the wire format."""
        return chunked(self.text.encode("utf-8", "surrogateescape"))

    def __str__(self) -> str:
        return " ".join(quoted(chunk) for chunk in self.chunks)


@dataclass(frozen=True)
class CNAME:
    """Another name stands for this one; nothing else may stand beside it (RFC 1034 section 3.6.2)."""

    type: ClassVar[str] = "CNAME"
    target: str

    def __str__(self) -> str:
        return absolute(self.target)


@dataclass(frozen=True)
class NS:
    """Authoritative server of the zone (RFC 1035 section 3.3.11)."""

    type: ClassVar[str] = "NS"
    target: str

    def __str__(self) -> str:
        return absolute(self.target)


@dataclass(frozen=True)
class PTR:
    """Name of an address, at the address's reverse name (RFC 1035 section 3.5)."""

    type: ClassVar[str] = "PTR"
    target: str

    def __str__(self) -> str:
        return absolute(self.target)


@dataclass(frozen=True)
class SRV:
    """Where a service answers (RFC 2782); `SRV(0, 0, 0, ROOT)` says that it does not exist."""

    type: ClassVar[str] = "SRV"
    priority: int
    weight: int
    port: int
    target: str

    def __str__(self) -> str:
        return f"{self.priority} {self.weight} {self.port} {absolute(self.target)}"

    @property
    def data(self) -> Data:
        """The parts, as structured APIs name them."""
        return {"priority": self.priority, "weight": self.weight, "port": self.port, "target": self.target}


@dataclass(frozen=True)
class CAA:
    """Who may issue certificates for the name (RFC 8659)."""

    type: ClassVar[str] = "CAA"
    flags: int
    tag: str
    value: str

    def __str__(self) -> str:
        return f"{self.flags} {self.tag} {quoted(self.value.encode('utf-8', 'surrogateescape'))}"

    @property
    def data(self) -> Data:
        """The parts, as structured APIs name them."""
        return {"flags": self.flags, "tag": self.tag, "value": self.value}


@dataclass(frozen=True)
class TLSA:
    """Which key the TLS server has (RFC 6698); 3 1 1 is the SHA-256 of its public key (RFC 7671 section 5.1)."""

    type: ClassVar[str] = "TLSA"
    usage: int
    selector: int
    matching: int
    certificate: str
    """Lower-case hex."""

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.certificate}"

    @property
    def data(self) -> Data:
        """The parts, as structured APIs name them; upper-case hex, because that is what they hand back."""
        return {
            "usage": self.usage,
            "selector": self.selector,
            "matching_type": self.matching,
            "certificate": self.certificate.upper(),
        }


@dataclass(frozen=True)
class Other:
    """A record of a type that this stack does not publish, as others have it: HTTPS, DNAME..."""

    type: str
    text: str

    def __str__(self) -> str:
        return self.text


Value = A | AAAA | MX | TXT | CNAME | NS | PTR | SRV | CAA | TLSA | Other


def address(value: str) -> A | AAAA:
    """The address record's value for an IPv4 or IPv6 address. Raises ValueError when it is neither."""
    parsed = ipaddress.ip_address(value)
    return A(parsed) if isinstance(parsed, ipaddress.IPv4Address) else AAAA(parsed)


def parse_value(kind: str, text: str) -> Value:
    """The value that `text` writes: inverse of `str(value)`.

    Raises ValueError for a type that this stack does not publish and for text that is not of that type.
    """
    if kind not in _PARSERS:
        raise ValueError(f"{kind} is not a type that this stack publishes")
    try:
        return _PARSERS[kind](tokens(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is not the value of a {kind} record ({error})") from None


def _words(fields: list[bytes], count: int) -> list[str]:
    if len(fields) != count:
        raise ValueError(f"it has {len(fields)} fields instead of {count}")
    return [field.decode("utf-8", "surrogateescape") for field in fields]


def _word(fields: list[bytes]) -> str:
    return _words(fields, 1)[0]


def _mx(fields: list[bytes]) -> MX:
    preference, exchange = _words(fields, 2)
    return MX(_number(preference), relative(exchange))


def _txt(fields: list[bytes]) -> TXT:
    if not fields:
        raise ValueError("it has no strings")
    return TXT(b"".join(fields).decode("utf-8", "surrogateescape"))


def _srv(fields: list[bytes]) -> SRV:
    priority, weight, port, target = _words(fields, 4)
    return SRV(_number(priority), _number(weight), _number(port), relative(target))


def _caa(fields: list[bytes]) -> CAA:
    flags, tag, value = _words(fields, 3)
    return CAA(_number(flags, 255), tag, value)


def _tlsa(fields: list[bytes]) -> TLSA:
    usage, selector, matching, certificate = _words(fields, 4)
    hexadecimal = bytes.fromhex(certificate).hex()
    return TLSA(_number(usage, 255), _number(selector, 255), _number(matching, 255), hexadecimal)


def _number(text: str, most: int = 65535) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise ValueError(f"{text!r} is not a number from 0 to {most}")
    return int(text)


_PARSERS: dict[str, Callable[[list[bytes]], Value]] = {
    "A": lambda fields: A(ipaddress.IPv4Address(_word(fields))),
    "AAAA": lambda fields: AAAA(ipaddress.IPv6Address(_word(fields))),
    "MX": _mx,
    "TXT": _txt,
    "CNAME": lambda fields: CNAME(relative(_word(fields))),
    "NS": lambda fields: NS(relative(_word(fields))),
    "PTR": lambda fields: PTR(relative(_word(fields))),
    "SRV": _srv,
    "CAA": _caa,
    "TLSA": _tlsa,
}
