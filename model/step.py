"""Everything that speaks against one step, from what is deployed to what the stack file asks for now.

Two judges: the rules about changes, and the world between two deployments, which finds what no rule foresaw. What a
rule names is not said again, and an acknowledgement of the rule covers it; what only the world finds is acknowledged
as `cached-world`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.catalogue import changes, files
from model.deployed import Deployed
from model.findings import Finding, report
from model.identity.cached_world import cached_world
from model.rules import acknowledgements
from model.settings import Settings
from model.transition import transition

_OF_OTHERS = ("mx-moved",)
"""Rules about what people elsewhere have to do: what the world makes of the same key is another matter."""


@dataclass(frozen=True)
class Step:
    """The verdict on a step."""

    findings: tuple[Finding, ...]
    plan: str
    """The order of things in which no mail bounces; empty when there is nothing to do first."""

    @property
    def refused(self) -> bool:
        """Whether the step must not be taken like this."""
        return any(finding.severity == "error" for finding in self.findings)

    def text(self) -> str:
        """What the operator reads: the findings, and the safe way."""
        return "\n".join(
            filter(None, (report(self.findings), self.plan and f"Safe in two steps:\n{self.plan}"))
        )


def judge(
    before: Deployed | None,
    after: Settings,
    today: datetime.date | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Step:
    """The verdict on the step from the deployed model to this stack file; a first deployment is free.

    `secrets` are the fingerprints of model/rotation.py, where the values are known.
    """
    world = cached_world(before, acknowledgements.remaining(after, before))
    every = transition(before, after.model_copy(update={"acknowledge": ()}), today, secrets)
    named = [f.path for f in every if f.rule not in _OF_OTHERS]
    found = [f for f in world.findings if not any(_within(path, f.path) for path in named)]
    left = transition(before, acknowledgements.remaining(after, before), today, secrets)
    findings = (
        *left,
        *found,
        *acknowledgements.spent(after, before, (*left, *found)),
        *(
            acknowledgements.served(after, (*every, *world.findings), acknowledgements.OF_CHANGES)
            if before
            else ()
        ),
    )
    refused = any(finding.severity == "error" for finding in findings)
    return Step(findings, world.plan() if refused else "")


def judge_each(
    possible: Sequence[Deployed],
    after: Settings,
    today: datetime.date | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Step:
    """The verdict on the step from whichever of the `possible` models the world has, or a mixture of them."""
    if len(possible) < 2:
        return judge(next(iter(possible), None), after, today, secrets)
    steps = [judge(before, after, today, secrets) for before in possible]
    every = dict.fromkeys(finding for step in steps for finding in step.findings)
    # An exception that has served for one of them may be needed for another.
    needed = [
        f for f in every if f.rule != files.ACKNOWLEDGE_SERVED.id or all(f in s.findings for s in steps)
    ]
    plans = dict.fromkeys(step.plan for step in steps if step.plan)
    return Step((*needed, changes.UNFINISHED.found()), "\n".join(plans))


def _within(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}.")
