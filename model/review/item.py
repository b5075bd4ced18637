"""What a review is made of: sentences with a level, under headings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["safe", "care", "blocked"]
LEVELS: tuple[Level, ...] = ("safe", "care", "blocked")
"""From harmless to refused."""


@dataclass(frozen=True)
class Item:
    """One sentence. `detail` are lines for those who want to know more; they are folded away."""

    text: str
    level: Level = "safe"
    detail: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One concern."""

    title: str
    items: tuple[Item, ...]

    @property
    def level(self) -> Level:
        """The most serious of its items."""
        return worst(item.level for item in self.items)


def worst(levels: Iterable[Level]) -> Level:
    """The most serious level; `safe` when there is none."""
    return max(levels, key=LEVELS.index, default="safe")
