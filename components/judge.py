"""What is judged against the world before the first resource: the cluster, and the step from what is deployed."""

from __future__ import annotations

from typing import Any

import pulumi

from components.observe import observe
from model.findings import Finding, report
from model.rules.cluster import cluster
from model.settings import Settings
from model.transition import transition


def judge(settings: Settings) -> None:
    """Refuses a cluster that lacks what the stack stands on, and a step that would bounce mail (model/transition.py).

    Raises pulumi.RunError with all findings about the cluster; the step is judged as soon as the last deployed model
    is read.
    """
    if settings.scope != "dns" and not settings.kubernetes.render:
        _refuse(list(cluster(settings, observe(settings.kubernetes.context))), settings)
    own = pulumi.StackReference(f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}")

    def step(before: dict[str, Any] | None) -> None:
        _refuse(transition(before or {}, settings), settings)

    own.get_output("model").apply(step)


def _refuse(found: list[Finding], settings: Settings) -> None:
    if any(finding.severity == "error" for finding in found):
        raise pulumi.RunError(report(found))
    for finding in found:
        if not settings.acknowledged(finding.rule, finding.path):
            pulumi.log.warn(str(finding))
