"""What is compared with the world before the first resource: the cluster, and the step from what is deployed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pulumi
from pulumi.runtime import invoke

from components.observe import observe
from components.observe_where import Where
from model import step
from model.catalogue import files
from model.deployed import Deployed, UnreadableModel
from model.findings import Finding, report
from model.ledger import Resource, possible
from model.rules import acknowledgements
from model.rules.cluster import cluster, totals
from model.rules.cluster_network import completed
from model.settings import Settings

_T = TypeVar("_T")


@dataclass(frozen=True)
class Seen:
    """What the state of the stack tells before the first resource."""

    deployed: tuple[Deployed, ...]
    """The models of which the world may have a part."""
    ended: tuple[acknowledgements.Key, ...]
    """Exceptions for data that is gone."""
    state: tuple[Resource, ...] = ()
    """What the last update left behind."""


def preflight(settings: Settings, secrets: Mapping[str, str]) -> tuple[Settings, Seen]:
    """Refuses a cluster that lacks what the stack stands on, and a step that would bounce mail (model/step.py).

    `secrets` are the fingerprints of model/rotation.py. Gives the settings with what only the cluster knows and without
    the exceptions that have served for data that is gone, and what the state tells. Raises
    pulumi.RunError with all findings about the cluster, else about the step, or when a model is of a later release.
    """
    folder = settings.kubernetes.render
    if folder is not None and not inside_project(_PROJECT / folder):
        raise pulumi.RunError(report([files.RENDER_OUTSIDE.found()]))
    if settings.scope != "dns" and not settings.kubernetes.render:
        facts = observe(Where.of(settings), pulumi.log.warn)
        found = list(cluster(settings, facts))
        if any(finding.severity == "error" for finding in found):
            raise pulumi.RunError(report(found))
        _warn(found, settings)
        pulumi.log.info(totals(settings, facts.rooms, facts.taken))
        settings = completed(settings, facts.network)
    try:
        state = list(_state())
        deployed = possible(state, _asked("readStackOutputs", "name").get("model"))
    except UnreadableModel as error:
        raise pulumi.RunError(str(error)) from None
    verdict = step.judge_each(deployed, settings, secrets=secrets)
    if verdict.refused:
        raise pulumi.RunError(verdict.text())
    _warn(verdict.findings, settings)
    names = {each.name for each in state}
    # Before the first deployment nothing is there that could be gone.
    ended = acknowledgements.of_gone(settings, deployed, lambda subject: bool(names) and subject not in names)
    _warn(tuple(acknowledgements.ended(settings, ended)), settings)
    return acknowledgements.without(settings, ended), Seen(deployed, ended, tuple(state))


_PROJECT = Path(__file__).resolve().parent.parent


def inside_project(folder: Path, project: Path = _PROJECT) -> bool:
    """Whether what is written to `folder` stays inside the project, links followed."""
    return folder.resolve().is_relative_to(project.resolve())


def _state() -> Iterator[Resource]:
    """The resources that the last update left behind."""
    for urn, found in _asked("readStackResourceOutputs", "stackName").items():
        address = urn.split("::", 2)[2]
        yield Resource(found["type"], address.rpartition("::")[2], found["outputs"], address)


def _asked(question: str, by: str) -> dict[str, Any]:
    """What the engine knows of this stack. Asked at once: a StackReference answers when resources are made already."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = patiently(lambda: invoke(f"pulumi:pulumi:{question}", {by: name}).value)
    outputs: dict[str, Any] = (answer or {}).get("outputs") or {}
    return outputs


_BEING_WRITTEN = "failed to load checkpoint"
"""The engine writes the stack itself into the state while the program asks; a state in a folder is then half there for a
moment (gocloud.dev/blob/fileblob, attrs.go: what stands beside the state is not replaced at once)."""
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each further attempt."""


def patiently(ask: Callable[[], _T], pauses: Iterable[float] = _PAUSES) -> _T:
    """What the state answers, asked again while it is being written. Raises pulumi.RunError when it stays unreadable."""
    last = ""
    for pause in (0.0, *pauses):
        time.sleep(pause)
        try:
            return ask()
        except Exception as error:
            if _BEING_WRITTEN not in str(error):
                raise
            last = str(error)
    raise pulumi.RunError(
        f"state: {last}. Nothing was changed; run the same command again, and see PULUMI_BACKEND_URL"
    )


def _warn(found: list[Finding] | tuple[Finding, ...], settings: Settings) -> None:
    for finding in found:
        if not settings.acknowledged(finding.rule, finding.path):
            pulumi.log.warn(str(finding))
