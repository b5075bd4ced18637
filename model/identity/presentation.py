"""Text of zone files: quoting, escaping and reading back (RFC 1035 section 5.1)."""

from __future__ import annotations

_STRING = 255
"""Bytes of one character-string (RFC 1035 section 3.3)."""


def absolute(name: str) -> str:
    """`name` with the final dot that makes it complete."""
    return name if name.endswith(".") else f"{name}."


def relative(name: str) -> str:
    """`name` as this model keeps it: lower case, without the final dot; the root stays "."."""
    return name.lower().rstrip(".") or "."


def chunked(data: bytes) -> tuple[bytes, ...]:
    """`data` in strings of 255 bytes, the last one shorter; one empty string for no data."""
    return tuple(data[i : i + _STRING] for i in range(0, len(data), _STRING)) or (b"",)


def quoted(data: bytes) -> str:
    """`data` in quotes: \\" and \\\\ escaped, everything that is not printable ASCII as \\DDD."""
    return f'"{"".join(_ESCAPED[byte] for byte in data)}"'


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03d}"


_ESCAPED = tuple(_escaped(byte) for byte in range(256))


def tokens(text: str) -> list[bytes]:
    """The words and quoted strings of `text`, unescaped; a comment ends them.

    Raises ValueError for an open quote or a broken escape.
    """
    found: list[bytes] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in " \t":
            at += 1
        elif char == ";":
            break
        elif char == '"':
            token, at = _read(text, at + 1, '"')
            if at > len(text):
                raise ValueError("a quote is not closed")
            found.append(token)
        else:
            token, at = _read(text, at, " \t;")
            found.append(token)
    return found


def _read(text: str, at: int, stops: str) -> tuple[bytes, int]:
    """One token from `at` on, and where reading continues (behind the stop if that is a quote)."""
    out = bytearray()
    while at < len(text):
        char = text[at]
        if char in stops:
            return bytes(out), at + (char == '"')
        if char == "\\":
            digits = text[at + 1 : at + 4]
            if len(digits) == 3 and digits.isascii() and digits.isdigit():
                if int(digits) > 255:
                    raise ValueError(f"\\{digits} is more than a byte")
                out.append(int(digits))
                at += 4
                continue
            if at + 1 >= len(text):
                raise ValueError("an escape has nothing behind it")
            at += 1
            char = text[at]
        out += char.encode("utf-8", "surrogateescape")
        at += 1
    return bytes(out), at + (stops == '"')
