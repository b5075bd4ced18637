"""A review as the comment on a pull request: verdict first, details folded, never longer than a forge takes."""

from __future__ import annotations

from collections.abc import Sequence

from model.review import Item, Level, Review, Section
from ops.reporting.picture import mermaid

LIMIT = 60_000
"""Bytes; GitHub takes 65,536 characters in a comment."""

VERDICTS: dict[Level, str] = {
    "safe": "safe to merge",
    "care": "needs care",
    "blocked": "blocked: the update would be refused",
}
_SIGNS: dict[Level, str] = {"safe": "", "care": "⚠️ ", "blocked": "⛔ "}


def page(reviews: Sequence[Review]) -> str:
    """One page for all stacks. Details are left out, the longest first, until it is short enough."""
    lines = max((len(i.detail) for r in reviews for s in r.sections for i in s.items), default=0)
    while True:
        text = "\n".join(_stack(review, lines) for review in reviews)
        if len(text.encode()) <= LIMIT:
            return text
        if lines == 0:
            # Only sentences are left: no stack has so many that this cuts one that matters.
            cut = text.encode()[: LIMIT - 200].decode("utf-8", "ignore")
            return f"{cut[: cut.rfind(chr(10))]}\n\nThe rest is left out here; `--format html` shows everything.\n"
        lines //= 2


def _stack(review: Review, lines: int) -> str:
    parts = [f"## {review.stack}: {VERDICTS[review.level]}", ""]
    if not review.sections:
        parts += ["Nothing changes.", ""]
    if review.level != "safe":
        counts = [(s.title, sum(item.level == review.level for item in s.items)) for s in review.sections]
        told = ", ".join(f"{title} ({count})" for title, count in counts if count)
        parts += [f"{_SIGNS[review.level]}{told}", ""]
    for section in review.sections:
        parts += _section(section, lines)
    if review.picture:
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
    shown = [*item.detail[:lines]]
    if len(item.detail) > lines:
        shown.append(f"... and {len(item.detail) - lines} more; --format html shows all")
    longest = max((len(run) for line in shown for run in _runs(line)), default=0)
    fence = "`" * max(3, longest + 1)
    language = "diff" if all(line[:1] in "+-~." for line in shown) else ""
    return [
        f"<details><summary>{_plain(item.text)}</summary>",
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


_ESCAPES = {ord(sign): f"\\{sign}" for sign in "\\`*_[]#|"} | {ord(sign): f"&#{ord(sign)};" for sign in "<@"}


def _plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is, mentions and links included."""
    return " ".join(text.split()).translate(_ESCAPES)
