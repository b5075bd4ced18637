"""What the scanner finds, held against what is accepted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("accepted.yaml")
_CONTENT_NAME = re.compile(r"-[0-9a-f]{10}$")
_ALL = "all"
_LEAST = 40
"""Characters of a reason: fewer say nothing."""


@dataclass(frozen=True, order=True)
class Finding:
    """A check of the scanner that failed on a workload."""

    check: str
    workload: str
    words: str

    def __str__(self) -> str:
        return f"{self.check} on {self.workload}: {self.words}"


@dataclass(frozen=True)
class Accepted:
    """A check that may fail on some workloads, or on all; why."""

    check: str
    workloads: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it accepts this."""
        return self.check == finding.check and (
            self.workloads == (_ALL,) or finding.workload in self.workloads
        )


def read(text: str) -> list[Accepted]:
    """Entries of accepted.yaml."""
    return [
        Accepted(
            each["check"],
            (each["workloads"],) if isinstance(each["workloads"], str) else tuple(each["workloads"]),
            str(each.get("reason") or "").strip(),
        )
        for each in yaml.safe_load(text)
    ]


def findings(report: dict[str, Any]) -> set[Finding]:
    """What a report of checkov holds; workloads that are called after their content go by their plain name."""
    return {
        Finding(each["check_id"], _CONTENT_NAME.sub("", each["resource"].split(".")[-1]), each["check_name"])
        for each in report["results"]["failed_checks"]
    }


def faults(found: Iterable[Finding], accepted: Iterable[Accepted]) -> list[str]:
    """Findings that nobody accepts, entries without a finding or a reason; one sentence each."""
    found, accepted = sorted(found), list(accepted)
    open_ones = [str(each) for each in found if not any(entry.covers(each) for entry in accepted)]
    unused = [
        f"{entry.check} on {name} is accepted, but nothing is found there: remove it"
        for entry in accepted
        for name in entry.workloads
        if not any(each.check == entry.check and name in (_ALL, each.workload) for each in found)
    ]
    bare = [f"{entry.check} is accepted without a reason" for entry in accepted if len(entry.reason) < _LEAST]
    return [*open_ones, *unused, *bare]
