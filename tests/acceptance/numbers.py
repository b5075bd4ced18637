"""What a Prometheus says of the stack that it reads: its targets, and the rules that it judges by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any


class Numbers(ABC):
    """A Prometheus that answers."""

    @abstractmethod
    def ask(self, path: str, **parameters: str) -> Any:
        """What it answers below /api/v1."""

    def query(self, expression: str) -> list[dict[str, str]]:
        """Labels of what an expression finds now."""
        return [each["metric"] for each in self.ask("query", query=expression)["result"]]

    def targets(self) -> list[dict[str, Any]]:
        """What it reads."""
        found: list[dict[str, Any]] = self.ask("targets", state="active")["activeTargets"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """What it judges by."""
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def unread(self, jobs: Collection[str]) -> list[str]:
        """What it does not read of these jobs, and why."""
        found = self.targets()
        lost = set(jobs) - {each["labels"]["job"] for each in found}
        blind = [
            f"{each['labels']['job']} at {each['scrapeUrl']}: {each['health']} {each['lastError']}"
            for each in found
            if each["health"] != "up"
        ]
        return [*(f"{each} is no job" for each in sorted(lost)), *blind]

    def unjudged(self, alerts: Collection[str]) -> list[str]:
        """Which of these alerts it does not know, or cannot judge."""
        found = {each["name"]: each for each in self.rules()}
        missing = [f"{name} is not loaded" for name in sorted(set(alerts) - found.keys())]
        return missing + [
            f"{name} is {each['health']}: {each.get('lastError', '')}"
            for name, each in found.items()
            if each["health"] != "ok"
        ]
