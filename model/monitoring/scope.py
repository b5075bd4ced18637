"""Expressions that mean one stack alone, for a Prometheus that knows more than it."""

from __future__ import annotations

import re

_TEXT = r'"(?:\\.|[^"\\])*"'
_TOKEN = re.compile(
    rf"""
    (?P<kept>
        \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)  # lists of labels
      | {_TEXT}
      | \d[\w.]*                                                         # numbers and durations
      | [A-Za-z_:][\w:]*(?=\s*\(|\s+(?:by|without)\b)                   # functions and aggregations
      | \b(?:and|or|unless|offset|bool)\b
    )
  | (?P<metric>[A-Za-z_:][\w:]*)(?:\{{(?P<labels>(?:{_TEXT}|[^"}}])*)\}})?
    """,
    re.VERBOSE,
)
"""Enough of PromQL for what this project writes: selectors begin with a metric's name, texts stand in double quotes."""


def scoped(expression: str, label: str, value: str) -> str:
    """`expression` with `label="value"` in every selector. The value has no quotes and no backslashes."""
    matcher = f'{label}="{value}"'

    def narrowed(found: re.Match[str]) -> str:
        if found["kept"] is not None:
            return found[0]
        labels = (found["labels"] or "").strip().rstrip(",")
        return f"{found['metric']}{{{labels + ',' if labels else ''}{matcher}}}"

    return _TOKEN.sub(narrowed, expression)
