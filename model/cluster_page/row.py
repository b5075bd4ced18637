"""A fact about a cluster, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from model import findings
from model.settings import Settings

Verdict = Literal["fits", "say", "missing", "unknown"]
"""`say`: the stack file must name it. `missing`: nothing works, or not all, before it is there."""
_MOST = 6
PLAIN = Settings.model_validate({"mode": "single-node", "domain": "example.org"})
"""A stack that says no more than it has to."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fact. `write` is what the stack file says of it, by dotted path; `then` what to do about it."""

    about: str
    seen: str
    verdict: Verdict
    then: str = ""
    write: Mapping[str, Any] = field(default_factory=dict)


def unknown(about: str) -> Row:
    """A fact that the account may not read, or that the cluster does not tell."""
    return Row(about=about, seen="could not be read", verdict="unknown")


def some(names: Sequence[str]) -> str:
    """The first of many."""
    return findings.some(names, _MOST)
