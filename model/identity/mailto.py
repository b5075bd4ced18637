"""Report addresses as URIs."""

from __future__ import annotations

from urllib.parse import quote, unquote


def mailto(address: str) -> str:
    """`mailto:` URI of an address (a URL stays one), safe in lists: `,` `!` and `;` are encoded (RFC 9989 section 4.7, RFC 8460 section 3)."""
    if "://" in address:
        return address
    local, _, domain = address.rpartition("@")
    return f"mailto:{quote(local, safe='$*+')}@{domain}"


def address_of(uri: str) -> str | None:
    """The address in a `mailto:` URI; None for any other URI."""
    scheme, _, rest = uri.partition(":")
    return unquote(rest) if scheme.lower() == "mailto" else None
