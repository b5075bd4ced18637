"""The little Markdown that the generated pages need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTICE = "<!-- Made by `python -m ops generate` from the code. Edits here are overwritten. -->"


def page(title: str, *parts: str) -> str:
    """A page of paragraphs, tables and headings."""
    return "\n\n".join((f"# {title}", NOTICE, *parts)) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells may hold anything but their own borders, which are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def anchor(heading: str) -> str:
    """The fragment that GitHub gives to a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def link(heading: str, text: str) -> str:
    """A link to a heading of the same page."""
    return f"[{text}](#{anchor(heading)})"


def code(text: str) -> str:
    """Text as code."""
    return f"`{text}`"


def sentence(text: str) -> str:
    """Text as a sentence."""
    text = " ".join(text.split())
    return text if text.endswith((".", "?", ":")) else f"{text}."
