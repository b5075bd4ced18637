"""Lines of an operator's own, which the program passes on without knowing what they are for (kolab:extra)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from model.findings import counted
from model.review.item import Item
from model.rules.extra import lines
from model.settings import Settings


def own_lines(before: Settings | None, after: Settings) -> Iterator[Item]:
    """Lines that come and go, each as it stands in the stack file; another value is a line that goes and one that comes."""
    old, new = _lines(before) if before else Counter(), _lines(after)
    came, gone = sorted((new - old).elements()), sorted((old - new).elements())
    if came:
        judged = {text for text, harmless in came if not harmless}
        said = f"{counted(len(came), 'line')} of your own added"
        if judged:
            said += f"; {_those(len(judged), len(came))} is acknowledged, not known"
        yield Item(said, "care" if judged else "safe", tuple(f"+ {text}" for text, _ in came))
    if gone:
        said = f"{counted(len(gone), 'line')} of your own removed: the daemon goes back to its default"
        yield Item(said, "care", tuple(f"- {text}" for text, _ in gone))


def _those(judged: int, came: int) -> str:
    """What so many of the lines that came do."""
    if came == 1:
        return "what it does"
    return "what one of them does" if judged == 1 else f"what {judged} of them do"


def _lines(settings: Settings) -> Counter[tuple[str, bool]]:
    """Each line, and whether it is known to be harmless. In lists the place among others is no part of it."""
    found: Counter[tuple[str, bool]] = Counter()
    for where, language, name, value in lines(settings):
        place, listed, _ = where.partition("[")
        text = f"{place}: {name} {value}" if listed else f"{where}: {value}"
        found[text, language.judge(name, value) is None] += 1
    return found
