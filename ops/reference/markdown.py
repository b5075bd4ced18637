"""The little Markdown that the generated pages need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTICE = "<!-- Made by `./kolab generate` from the code. Edits here are overwritten. -->"


def page(title: str, *parts: str) -> str:
    """A page of paragraphs, tables and headings."""
    return "\n\n".join((f"# {title}", NOTICE, *parts)) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of prose."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(prose(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def prose(text: str) -> str:
    """Text whose `<placeholders>` are not taken for HTML: inside of code they are safe, outside they are escaped."""
    parts = text.split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


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
