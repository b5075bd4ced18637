"""What one line of the status says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong", "unknown"]
ORDER: tuple[State, ...] = ("ok", "unknown", "warning", "wrong")
"""From good to bad."""


@dataclass(frozen=True)
class Row:
    """One thing of the running stack: the part it belongs to, its name, how it is, and the words for people."""

    part: str
    name: str
    state: State
    text: str


def worst(states: Iterable[State]) -> State:
    """The worst of some states; nothing at all is well."""
    return max(states, key=ORDER.index, default="ok")
