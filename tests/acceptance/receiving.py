"""What somebody else's mail server (receiver.py) took from us."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.stack import eventually


@dataclass(frozen=True)
class Receiver:
    """The server of receiver.test, and what it took."""

    took: Path

    def get(self, subject: str) -> dict[str, Any]:
        """What it says of the message whose subject holds this, once that is there."""
        found: dict[str, Any] = eventually(
            lambda: next((letter for letter in self._letters() if subject in letter["subject"]), None),
            f"the receiver never saw {subject}",
        )
        return found

    def subjects(self) -> set[str]:
        """Of all that it took."""
        return {letter["subject"] for letter in self._letters()}

    def _letters(self) -> list[dict[str, Any]]:
        # The last line may not be whole yet.
        lines = self.took.read_text().split("\n")[:-1] if self.took.exists() else []
        return [json.loads(line) for line in lines]


def unique(subject: str) -> str:
    """A subject that no earlier run used, on a stack that was kept."""
    return f"{subject} at {time.time_ns()}"
