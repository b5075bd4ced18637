"""A review as the comment on a pull request: verdict first, details folded, never longer than a forge takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from model.review import Item, Level, Review, Section
from ops.reporting.picture import mermaid
from ops.reporting.text import readable

LIMIT = 60_000
"""Bytes; GitHub takes 65,536 characters in a comment."""

VERDICTS: dict[Level, str] = {
    "safe": "safe to merge",
    "care": "needs care",
    "blocked": "blocked: the update would be refused",
}
_SIGNS: dict[Level, str] = {"safe": "", "care": "⚠️ ", "blocked": "⛔ "}


def page(reviews: Sequence[Review]) -> str:
    """One page for all stacks. Details are left out, the longest first, then pictures, until it is short enough."""
    lines = max((len(i.detail) for r in reviews for s in r.sections for i in s.items), default=0)
    while True:
        text = "\n".join(_stack(review, lines) for review in reviews)
        if len(text.encode()) <= LIMIT:
            return text
        if lines == 0:
            break
        lines //= 2
    text = "\n".join(_stack(review, 0, pictures=False) for review in reviews)
    if len(text.encode()) <= LIMIT:
        return text
    # Only sentences are left: no stack has so many that this cuts one that matters.
    cut = text.encode()[: LIMIT - 200].decode("utf-8", "ignore")
    return f"{cut[: cut.rfind(chr(10))]}\n\nThe rest is left out here; `--format html` shows everything.\n"


def _stack(review: Review, lines: int, *, pictures: bool = True) -> str:
    parts = [f"## {_plain(review.stack)}: {VERDICTS[review.level]}", ""]
    if not review.sections:
        parts += ["Nothing changes.", ""]
    if review.level != "safe":
        counts = [(s.title, sum(item.level == review.level for item in s.items)) for s in review.sections]
        told = ", ".join(f"{title} ({count})" for title, count in counts if count)
        parts += [f"{_SIGNS[review.level]}{told}", ""]
    for section in review.sections:
        parts += _section(section, lines)
    if review.picture and pictures:
        parts += ["<details><summary>Picture: what changes has a thick line</summary>", "", "```mermaid"]
        parts += [mermaid(review.picture), "```", "", "</details>", ""]
    return "\n".join(parts)


def _section(section: Section, lines: int) -> list[str]:
    parts = [f"### {section.title}", ""]
    for item in section.items:
        parts.append(f"- {_SIGNS[item.level]}{_plain(item.text)}")
    parts.append("")
    for item in section.items:
        if item.detail and lines:
            parts += _folded(item, lines)
    return parts


def _folded(item: Item, lines: int) -> list[str]:
    shown = [line for text in item.detail[:lines] for line in readable(text).splitlines() or [""]]
    if len(item.detail) > lines:
        shown.append(f"... and {len(item.detail) - lines} more; --format html shows all")
    longest = max((len(run) for line in shown for run in _runs(line)), default=0)
    fence = "`" * max(3, longest + 1)
    language = "diff" if all(line[:1] in "+-~." for line in shown) else ""
    return [
        f"<details><summary>{_summary(item.text)}</summary>",
        "",
        f"{fence}{language}",
        *shown,
        fence,
        "",
        "</details>",
        "",
    ]


def _runs(line: str) -> list[str]:
    """Runs of backticks, which a fence has to outdo (CommonMark section 4.5)."""
    return [run for run in "".join(c if c == "`" else " " for c in line).split(" ") if run]


_ESCAPES = {ord(sign): f"\\{sign}" for sign in "\\`*_[]#|~$"} | {ord("<"): "&lt;", ord("&"): "&amp;"}
_FIRST = re.compile(r"\A(\d{0,9})(?=[-+=>.)])")
"""Where the text of a list item would begin a list, a rule or a quotation of its own (CommonMark sections 5.1, 5.2)."""
_LEADS = re.compile(
    r"(?<=(?<!\w)@)(?=\w)|(?<=\w@)(?=[\w.-]+\.)|(?<=[#!~%&$])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)",
    re.IGNORECASE,
)
"""Where forges find mentions, references and addresses of pages in a text, however it is escaped (GFM section 6.9)."""
_JOINER = "\N{WORD JOINER}"
"""Has no width, and no forge looks past it."""


def _plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is, mentions and links included."""
    return _FIRST.sub(r"\1\\", _joined(text).translate(_ESCAPES), count=1)


def _summary(text: str) -> str:
    """The same inside of an element of HTML, where Markdown escapes nothing."""
    return escape(_joined(text), quote=False)


def _joined(text: str) -> str:
    return _LEADS.sub(_JOINER, " ".join(readable(text).split()) or "\ufffd")
