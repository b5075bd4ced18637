"""Texts of others, as far as a page can show them."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode that steer instead of being read: control, format (such as bidirectional overrides), surrogates."""


def readable(text: str) -> str:
    """The text with U+FFFD in place of what nobody sees: it could turn the order of what stands beside it."""
    return "".join(
        "\ufffd" if unicodedata.category(sign) in _HIDDEN and sign not in "\n\r\t" else sign for sign in text
    )
