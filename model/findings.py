"""One finding: where the stack file is wrong, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule has to say. `path` is the key as written in the stack file; no field ever holds a secret."""

    rule: str
    path: str
    problem: str
    fix: str
    severity: Severity = "error"
    source: str = ""

    def __str__(self) -> str:
        source = f" ({self.source})" if self.source else ""
        end = "" if self.fix.endswith("?") else "."
        return f"{self.path}: {self.problem}{source}. Fix: {self.fix}{end} [{self.rule}]"


def report(findings: Iterable[Finding]) -> str:
    """All findings as the text that an operator reads: errors first, then by key."""
    ordered = sorted(findings, key=lambda f: (f.severity != "error", f.path, f.rule))
    if len(ordered) == 1:
        return f"{ordered[0].severity} in the stack file: {ordered[0]}"
    lines = [f"  {f.severity}: {f}" for f in ordered]
    return "\n".join([f"the stack file has {len(ordered)} findings:", *lines])
