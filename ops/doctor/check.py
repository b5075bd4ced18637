"""What a check is: one row with its reason and its way out; what it looks at, and what it says about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from model.findings import Severity

if TYPE_CHECKING:
    from ops.doctor.visit import Visit

State = Literal["passed", "failed", "unknown"]


class Unseen(Exception):
    """A fact that could not be learnt: nobody answered, or not as the protocol says. Whoever promises the answer reports it."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One promise about the running stack, as the world sees it."""

    id: str
    """Never changes: memories and dashboards hold it."""
    concern: str
    """The part of the service; faults of one part show nowhere else, and each part has its score."""
    promise: str
    """What holds when the check passes."""
    reason: str
    """What happens to mail or people when it does not."""
    fix: str
    """A command, or what to do; `{stack}`, `{namespace}` and `{subject}` are filled in."""
    subjects: Callable[[Visit], Iterable[Any]]
    """What is looked at, each by itself; none where the stack has no such thing."""
    look: Callable[[Visit, Any], Iterable[str]]
    """What is wrong with one subject, as evidence: nothing when all is well. Raises Unseen."""
    severity: Severity = "error"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check said about one subject."""

    check: Check
    subject: str
    state: State
    evidence: tuple[str, ...] = ()
    """What was seen where it failed, or why nothing could be seen."""

    @property
    def key(self) -> str:
        """Names the outcome from one run to the next."""
        return f"{self.check.id} {self.subject}"
