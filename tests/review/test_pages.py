"""The pages that a review becomes: nothing in it can pass for markup, and nothing is longer than a forge takes."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from model.review import Item, Review, Section
from ops.reporting import html, markdown

_HOSTILE = [
    "<script>alert(1)</script>",
    "[here](javascript:alert(1))",
    "@everyone",
    "![x](y)",
    "a\n# heading",
    "a\n- [x] merged",
    "`` ``` ````",
    "| a | b |",
    "</details><h1>safe to merge</h1>",
]


def review(*items: Item) -> Review:
    return Review("mine", (Section("Records", items),), None)


@pytest.mark.parametrize("text", _HOSTILE)
def test_no_sentence_is_markup_for_a_forge(text: str) -> None:
    page = markdown.page([review(Item(text, "care"))])
    tokens = MarkdownIt("commonmark").parse(page)
    kinds = {token.type for token in tokens} | {t.type for token in tokens for t in token.children or ()}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_inline"}
    assert [token.content for token in tokens if token.type == "inline"][:1] == ["mine: needs care"]
    assert "@everyone" not in page


@pytest.mark.parametrize("text", _HOSTILE)
def test_no_detail_leaves_its_fence(text: str) -> None:
    page = markdown.page([review(Item("1 record", "safe", (f"+ {text}", "```", "````")))])
    fences = [token for token in MarkdownIt("commonmark").parse(page) if token.type == "fence"]
    assert [token.content for token in fences] == [f"+ {text}\n```\n````\n"]


@pytest.mark.parametrize("text", _HOSTILE)
def test_no_text_is_an_element_of_the_html_page(text: str) -> None:
    page = html.page([review(Item(text, "care", (text,)))])
    plain = html.page([review(Item("x", "care", ("x",)))])
    assert re.findall(r"</?\w+", page) == re.findall(r"</?\w+", plain)


def test_the_name_of_a_stack_is_no_markup_either() -> None:
    """It is the name of a file, which a fork may choose."""
    page = markdown.page([Review("x](javascript:a) <img src=x> @all", (), None)])
    kinds = {t.type for token in MarkdownIt("commonmark").parse(page) for t in token.children or ()}
    assert kinds == {"text"}
    assert "@all" not in page


def test_a_comment_is_never_longer_than_a_forge_takes() -> None:
    detail = tuple(f"+ {n}.example.org 3600 A 192.0.2.1  # A reason that is a sentence." for n in range(5000))
    page = markdown.page([review(Item("5000 records added", "care", detail))])
    assert 10_000 < len(page.encode()) <= markdown.LIMIT
    assert page.count("```") % 2 == 0
    assert page.endswith("</details>\n")


def test_a_comment_of_sentences_alone_is_cut_between_two_of_them() -> None:
    page = markdown.page([review(*(Item(f"sentence {n} " + "ä" * 200) for n in range(1000)))])
    assert len(page.encode()) <= markdown.LIMIT
    assert page.endswith("shows everything.\n")


def test_the_html_page_leaves_nothing_out() -> None:
    detail = tuple(f"line {n}" for n in range(5000))
    assert "line 4999" in html.page([review(Item("many", "care", detail))])


def test_the_verdict_is_the_most_serious_of_all_items() -> None:
    assert review(Item("a"), Item("b", "blocked"), Item("c", "care")).level == "blocked"
    assert markdown.page([review(Item("b", "blocked"))]).startswith("## mine: blocked")


def test_without_changes_a_page_says_so() -> None:
    assert "Nothing changes." in markdown.page([Review("mine", (), None)])
