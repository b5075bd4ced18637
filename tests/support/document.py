"""A Markdown page as its reader sees it: headings to link to, links, code within sentences, and fenced blocks."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass
class Document:
    """What stands in a page, each with its line."""

    anchors: list[str] = field(default_factory=list)
    links: list[tuple[int, str]] = field(default_factory=list)
    codes: list[tuple[int, str]] = field(default_factory=list)
    fences: list[tuple[int, str, str]] = field(default_factory=list)
    """Line, what stands behind the three signs, content."""


@functools.cache
def document(text: str) -> Document:
    """Reads a page. Each is read once, so change nothing in it."""
    found, heading, line = Document(), False, 0
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        line = token.map[0] + 1 if token.map else line
        match token.type:
            case "heading_open" | "heading_close":
                heading = token.type == "heading_open"
            case "fence" | "code_block":
                found.fences.append((line, token.info, token.content))
            case "inline":
                if heading:
                    found.anchors.append(_anchor(token, found.anchors))
                found.codes += [(line, each.content) for each in _all(token) if each.type == "code_inline"]
                for each in _all(token):
                    target = each.attrGet("href") or each.attrGet("src")
                    if target:
                        found.links.append((line, str(target)))
            case _:
                pass
    return found


def _anchor(heading: Token, taken: list[str]) -> str:
    """The fragment that GitHub gives to a heading."""
    text = "".join(each.content for each in _all(heading) if each.type in ("text", "code_inline"))
    plain = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
    again = sum(each == plain or re.fullmatch(re.escape(plain) + r"-\d+", each) is not None for each in taken)
    return f"{plain}-{again}" if again else plain


def _all(token: Token) -> Iterator[Token]:
    yield from token.children or ()
