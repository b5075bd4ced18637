"""A review as one HTML page without anything from elsewhere: for artifacts and for mail."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from model.review import Review, Section
from ops.reporting.markdown import VERDICTS
from ops.reporting.picture import svg
from ops.reporting.text import readable

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2937;background:#fff}
h2{border-left:.5rem solid;padding-left:.5rem}h2.safe{border-color:#15803d}h2.care{border-color:#d97706}
h2.blocked{border-color:#b91c1c}li.care::marker{content:"\\26A0\\FE0F  "}li.blocked::marker{content:"\\26D4  "}
pre{overflow:auto;background:#f3f4f6;padding:.5rem}svg{max-width:100%;height:auto}
"""


def page(reviews: Sequence[Review]) -> str:
    """The whole page, with every detail."""
    body = "\n".join(_stack(review) for review in reviews)
    title = _shown(", ".join(f"{review.stack}: {VERDICTS[review.level]}" for review in reviews))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _stack(review: Review) -> str:
    head = f'<h2 class="{review.level}">{_shown(review.stack)}: {VERDICTS[review.level]}</h2>'
    sections = "".join(_section(section) for section in review.sections) or "<p>Nothing changes.</p>"
    return head + sections + (svg(review.picture) if review.picture else "")


def _section(section: Section) -> str:
    items = []
    for item in section.items:
        detail = ""
        if item.detail:
            lines = _shown("\n".join(item.detail))
            detail = f"<details><summary>{len(item.detail)} lines</summary><pre>{lines}</pre></details>"
        items.append(f'<li class="{item.level}">{_shown(item.text)}{detail}</li>')
    return f"<h3>{escape(section.title)}</h3><ul>{''.join(items)}</ul>\n"


def _shown(text: str) -> str:
    return escape(readable(text))
