"""A score for each part of the service that can be counted by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ops.doctor.check import Outcome


@dataclass(frozen=True)
class Score:
    """Checks of one concern: those that pass for every subject, of those that could be answered."""

    concern: str
    passed: int
    answered: int

    @property
    def percent(self) -> int:
        """100 when every check that could be answered passes; a check with one bad subject counts as not passed."""
        return 100 * self.passed // self.answered if self.answered else 0


def scores(outcomes: Iterable[Outcome]) -> list[Score]:
    """One for every concern of which something could be answered, in the order of the checks."""
    by_check: dict[tuple[str, str], set[str]] = {}
    for outcome in outcomes:
        by_check.setdefault((outcome.check.concern, outcome.check.id), set()).add(outcome.state)
    found: dict[str, list[bool]] = {}
    for (concern, _), states in by_check.items():
        if states != {"unknown"}:
            found.setdefault(concern, []).append("failed" not in states)
    return [Score(concern, sum(good), len(good)) for concern, good in found.items()]
