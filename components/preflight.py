"""What is compared with the world before the first resource: the cluster, and the step from what is deployed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import invoke

from components.observe import observe
from model import step
from model.catalogue import files
from model.deployed import Deployed, UnreadableModel
from model.findings import Finding, report
from model.ledger import Resource, possible
from model.rules.cluster import cluster
from model.rules.cluster_network import completed
from model.settings import Settings


def preflight(settings: Settings) -> tuple[Settings, tuple[Deployed, ...]]:
    """Refuses a cluster that lacks what the stack stands on, and a step that would bounce mail (model/step.py).

    Gives the settings with what only the cluster knows, and the models of which the world may have a part. Raises
    pulumi.RunError with all findings about the cluster, else about the step, or when a model is of a later release.
    """
    folder = settings.kubernetes.render
    if folder is not None and not inside_project(_PROJECT / folder):
        raise pulumi.RunError(report([files.RENDER_OUTSIDE.found()]))
    if settings.scope != "dns" and not settings.kubernetes.render:
        facts = observe(settings)
        found = list(cluster(settings, facts))
        if any(finding.severity == "error" for finding in found):
            raise pulumi.RunError(report(found))
        _warn(found, settings)
        settings = completed(settings, facts.network)
    try:
        deployed = possible(_state(), _asked("readStackOutputs", "name").get("model"))
    except UnreadableModel as error:
        raise pulumi.RunError(str(error)) from None
    verdict = step.judge_each(deployed, settings)
    if verdict.refused:
        raise pulumi.RunError(verdict.text())
    _warn(verdict.findings, settings)
    return settings, deployed


_PROJECT = Path(__file__).resolve().parent.parent


def inside_project(folder: Path, project: Path = _PROJECT) -> bool:
    """Whether what is written to `folder` stays inside the project, links followed."""
    return folder.resolve().is_relative_to(project.resolve())


def _state() -> Iterator[Resource]:
    """The resources that the last update left behind."""
    for urn, found in _asked("readStackResourceOutputs", "stackName").items():
        yield Resource(found["type"], urn.rpartition("::")[2], found["outputs"])


def _asked(question: str, by: str) -> dict[str, Any]:
    """What the engine knows of this stack. Asked at once: a StackReference answers when resources are made already."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = invoke(f"pulumi:pulumi:{question}", {by: name}).value
    outputs: dict[str, Any] = (answer or {}).get("outputs") or {}
    return outputs


def _warn(found: list[Finding] | tuple[Finding, ...], settings: Settings) -> None:
    for finding in found:
        if not settings.acknowledged(finding.rule, finding.path):
            pulumi.log.warn(str(finding))
