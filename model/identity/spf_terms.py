"""Terms of an SPF record, spelled as RFC 7208 section 12 has them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from model.identity import spf_macros

Result = Literal["pass", "fail", "softfail", "neutral", "none", "permerror", "unknown"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_RESULTS: dict[str, Result] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_VERSION = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_MECHANISM = re.compile(r"([+?~-]?)([a-z0-9]+)(.*)", re.IGNORECASE)
_LENGTHS = re.compile(r"(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?$")
_TOP = re.compile(r"\.([a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])\.?$", re.IGNORECASE)
_OWN_DOMAIN = ("a", "mx", "ptr")
"""Mechanisms that stand for the domain itself where they name none."""
ASKING = ("include", "a", "mx", "ptr", "exists", "redirect")
"""Terms that make a receiver ask DNS (section 4.6.4)."""


class BadTerm(ValueError):
    """A term that receivers cannot read: a permanent error, wherever it stands (section 4.6). The text is the term."""


@dataclass(frozen=True)
class Term:
    """A mechanism, or the modifier redirect."""

    text: str
    name: str
    result: Result = "pass"
    domain: str = ""
    """Macros and all; empty for the domain whose record it is."""
    network: Network | None = None
    lengths: tuple[int, int] = (32, 128)
    """Prefix of what is compared, IPv4 and IPv6."""


def of_spf(texts: Iterable[str]) -> tuple[str, ...]:
    """Those that are SPF records, in any case; `v=spf10` is none (section 4.5)."""
    return tuple(text for text in texts if _VERSION.match(text))


def terms(record: str) -> tuple[Term, ...]:
    """Mechanisms in their order, then redirect where there is one. Raises BadTerm."""
    mechanisms, modifiers = [], {}
    for text in filter(None, record.split(" ")[1:]):
        if modifier := _MODIFIER.fullmatch(text):
            name = modifier[1].lower()
            if name in ("redirect", "exp"):
                if name in modifiers:
                    raise BadTerm(text)
                modifiers[name] = Term(text, name, domain=_domain(modifier[2], text))
        else:
            mechanisms.append(_mechanism(text))
    redirect = modifiers.get("redirect")
    return (*mechanisms, *((redirect,) if redirect else ()))


def _mechanism(text: str) -> Term:
    match = _MECHANISM.fullmatch(text)
    if match is None:
        raise BadTerm(text)
    result, name, rest = _RESULTS[match[1] or "+"], match[2].lower(), match[3]
    match name:
        case "all" if not rest:
            return Term(text, name, result)
        case "ip4" | "ip6" if rest.startswith(":"):
            return Term(text, name, result, network=_network(name, rest[1:], text))
        case "include" | "exists" if rest.startswith(":"):
            return Term(text, name, result, _domain(rest[1:], text))
        case "a" | "mx" | "ptr" if not rest or rest[0] in ":/":
            lengths = _LENGTHS.search(rest)
            v4, v6 = (lengths[1], lengths[2]) if lengths and name != "ptr" else (None, None)
            named = rest[: lengths.start()] if lengths and name != "ptr" else rest
            domain = _domain(named[1:], text) if named else ""
            if named[:1] not in ("", ":") or int(v4 or 0) > 32 or int(v6 or 0) > 128:
                raise BadTerm(text)
            return Term(text, name, result, domain, lengths=(int(v4 or 32), int(v6 or 128)))
    raise BadTerm(text)


def _network(name: str, text: str, term: str) -> Network:
    try:
        found = (
            ipaddress.IPv4Network(text, strict=False)
            if name == "ip4"
            else ipaddress.IPv6Network(text, strict=False)
        )
    except ValueError:
        raise BadTerm(term) from None
    # Python reads a netmask and leading zeros too; receivers do not.
    length = text.partition("/")[2]
    if "/" in text and not (length.isascii() and length.isdigit() and str(int(length)) == length):
        raise BadTerm(term)
    return found


def _domain(text: str, term: str) -> str:
    ends = text.endswith("}") or _TOP.search(text) is not None
    if not (ends and text.isascii() and text.isprintable() and spf_macros.are_known(text)):
        raise BadTerm(term)
    return text
