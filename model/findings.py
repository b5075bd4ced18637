"""One finding: where the stack file is wrong, why, and what to write instead. A rule is what findings are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning"]


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of many names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """One of them, or so many."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule has to say. `path` is the key as written in the stack file; no field ever holds a secret."""

    rule: str
    path: str
    problem: str
    fix: str
    severity: Severity = "error"
    source: str = ""

    def about(self, key: str, other: str) -> Finding:
        """The same finding where another key of the stack file says what `key` says."""
        texts = {name: getattr(self, name).replace(key, other) for name in ("path", "problem", "fix")}
        return replace(self, **texts)

    def __str__(self) -> str:
        source = f" ({self.source})" if self.source else ""
        end = "" if self.fix.endswith("?") else "."
        return f"{self.path}: {self.problem}{source}. Fix: {self.fix}{end} [{self.rule}]"


@dataclass(frozen=True)
class Rule:
    """A rule as it is declared, once, in model/catalogue. Its texts are templates (str.format) of its findings."""

    id: str
    """What findings end with and acknowledgements name. It never changes: stack files hold it."""
    path: str
    """The key that is wrong."""
    problem: str
    """What is wrong there, as the rest of a sentence that begins with the key."""
    fix: str
    """What to write or to do instead."""
    why: str
    """The reason for the rule."""
    severity: Severity = "error"
    """A warning goes on and may be acknowledged."""
    source: str = ""
    """Standard or upstream file that demands it."""
    lifted: bool = False
    """Whether an acknowledgement lifts an error too, as it does for changes and deletions."""

    def found(self, **values: object) -> Finding:
        """The finding with these values in place of the names in braces. Raises KeyError when one is missing."""
        return Finding(
            rule=self.id,
            path=self.path.format(**values),
            problem=self.problem.format(**values),
            fix=self.fix.format(**values),
            severity=self.severity,
            source=self.source.format(**values),
        )

    def but(
        self,
        *,
        path: str | None = None,
        problem: str | None = None,
        fix: str | None = None,
        severity: Severity | None = None,
        source: str | None = None,
    ) -> Rule:
        """The same rule at another place, in other words."""
        return replace(
            self,
            path=self.path if path is None else path,
            problem=self.problem if problem is None else problem,
            fix=self.fix if fix is None else fix,
            severity=self.severity if severity is None else severity,
            source=self.source if source is None else source,
        )


def report(findings: Iterable[Finding]) -> str:
    """All findings as the text that an operator reads: errors first, then by key."""
    ordered = sorted(findings, key=lambda f: (f.severity != "error", f.path, f.rule))
    if len(ordered) == 1:
        return f"{ordered[0].severity} in the stack file: {ordered[0]}"
    lines = [f"  {f.severity}: {f}" for f in ordered]
    return "\n".join([f"the stack file has {len(ordered)} findings:", *lines])
