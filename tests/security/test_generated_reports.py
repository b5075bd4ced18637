"""Nothing that a stack file, its name or a preview says changes the structure of a report: the page holds it as text.

Each value stands in every place of a review. A parser of Markdown as forges read it, and one of HTML, then find the headings,
items, fences and elements that the review has, and no other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from model.review import Item, Review, Section
from model.review.picture import Picture
from ops.reporting import html, markdown
from tests.security.languages import EVERYWHERE, LANGUAGES

pytestmark = [pytest.mark.thorough, pytest.mark.security]

_STARTS = (
    "- ",
    "+ ",
    "1. ",
    "23) ",
    "> ",
    "---",
    "===",
    "~~~\n",
    "    x",
    "\t",
    "<!--",
    "# ",
    "|a|\n|-|\n",
    "</summary>",
)
_LEADS = ("https://evil.example", "www.evil.example", "@everyone", "#1", "!1", "a@evil.example", "ftp://evil.example/x", "~~x~~", "$x$")  # fmt: skip
_PICTURE = Picture({"smtp": ("192.0.2.1",)}, {("smtp", "postfix"): (25,)}, (), frozenset({"smtp"}))
_FORGE = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_LED = re.compile(r"(?i)https?://|ftp://|\bwww\.|(?<!\w)@\w|[#!]\w|\w@[\w-]+\.\w")
"""What forges make links and mentions of, in texts that are parsed already."""


def _values() -> Iterator[str]:
    fragments = dict.fromkeys(
        (*EVERYWHERE, *_STARTS, *_LEADS, *(f for each in LANGUAGES.values() for f in each))
    )
    for one in fragments:
        yield from (one, f"example.org{one}", f"{one} example.org", f"a{one}b{one}c")
    for one in (*_STARTS, *_LEADS):
        yield from (f"{one}{other}" for other in fragments)


def _review(value: str) -> Review:
    items = (Item(value, "safe"), Item(f"x {value}", "care", (value, f"+ {value}")), Item(value, "blocked"))
    return Review(value, (Section("Refused", items), Section("Records", items)), _PICTURE)


def _kinds(page: str) -> Counter[str]:
    """Blocks and what is in them; nesting shows in the number of their ends."""
    found: Counter[str] = Counter()
    for token in _FORGE.parse(page):
        # Details that all begin with a sign are coloured as a difference.
        found[f"{token.type} {token.tag} {token.info.removeprefix('diff')} {token.level}"] += 1
        if token.type == "html_block":
            found[re.sub(r"(<summary>)[^<]*(</summary>)", r"\1\2", token.content)] += 1
        for inner in token.children or ():
            assert inner.type == "text" or (inner.type, inner.content) == ("text_special", inner.content), (
                inner
            )
    return found


def _texts(page: str) -> Iterator[str]:
    for token in _FORGE.parse(page):
        if token.type == "html_block":
            yield token.content
        yield from (inner.content for inner in token.children or ())


class _Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, object]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", None))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))

    def unknown_decl(self, data: str) -> None:
        self.found.append(("declaration", data))


def test_no_value_changes_the_structure_of_a_comment() -> None:
    wanted = _kinds(markdown.page([_review("harmless")]))
    for value in _values():
        assert _kinds(markdown.page([_review(value)])) == wanted, value


def test_no_value_becomes_a_link_or_a_mention() -> None:
    for value in _values():
        for text in _texts(markdown.page([_review(value)])):
            assert not _LED.search(text), (value, text)


def test_no_value_changes_the_elements_of_the_page() -> None:
    wanted = _Elements(html.page([_review("harmless")])).found
    for value in _values():
        assert _Elements(html.page([_review(value)])).found == wanted, value


def test_no_value_hides_or_turns_what_stands_beside_it() -> None:
    for value in ("\u202e", "\u2066x", "\x00", "\x1b[2J", "\ud800", "\u200b", "\u2028"):
        for page in (markdown.page([_review(value)]), html.page([_review(value)])):
            assert value[0] not in page
            page.encode()


def test_enough_values_are_tried() -> None:
    assert len(set(_values())) > 5_000
