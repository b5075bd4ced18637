"""What the last run found, so that the next one can tell what is new."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ops.doctor.check import Outcome, State
from ops.stacks import ROOT

Memory = dict[str, State]
"""Key of an outcome -> its state."""


def place(stack: str, root: Path = ROOT) -> Path:
    """The file of a stack, in a folder that git ignores."""
    return root / ".local" / "doctor" / f"{stack}.json"


def read(path: Path) -> Memory:
    """What was found last; nothing before the first run, or when the file cannot be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, outcomes: Iterable[Outcome], last: Memory) -> None:
    """Keeps the states. What could not be seen this time keeps its last state: nothing is known to have changed."""
    states = {o.key: last.get(o.key, o.state) if o.state == "unknown" else o.state for o in outcomes}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(states, indent=1, sort_keys=True), "utf-8")
    fresh.replace(path)


def changed(outcomes: Iterable[Outcome], last: Memory) -> list[Outcome]:
    """What has failed since, and what passes again. On the first run: all that fails."""
    return [
        outcome
        for outcome in outcomes
        if outcome.state != "unknown"
        and outcome.state != last.get(outcome.key, "passed")
        and not (outcome.state == "passed" and last.get(outcome.key) == "unknown")
    ]
