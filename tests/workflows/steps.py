"""The steps of every job of both forges, taken from their files; and those that cannot run without a forge, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
_GITHUB = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
_GITLAB = CHECKOUT / ".gitlab-ci.yml"
_NO_JOBS = ("stages", "default", "workflow", "variables", "include")

LEFT_OUT: Mapping[str, str] = {
    "actions/checkout": "fetches the clone, which is there",
    "actions/setup-python": "gets a Python from the network; the one that runs the tests serves",
    "pulumi/actions": "gets pulumi from the network; toolchain/ gets it here",
    "actions/attest-build-provenance": "signs with an identity that only the forge gives",
    "sudo tests/install-packages test": "installs packages of Debian as root, from the network",
    "tests/install-packages test": "installs packages of Debian as root, from the network",
}
"""Action or command -> why no test runs it."""

LOOKED_UP: Mapping[str, str] = {
    "make check": "the job itself runs it on every pull request, in a clean clone",
    "make coverage": "the first half of make test once more, with a tracer",
    "make test-long": "the job itself runs it every night; and it runs these tests, which would run it again",
    "make test": "the job itself runs it on every pull request; and it runs these tests, which would run it again",
}
"""Long target -> why the tests only ask make what it would do, which fails for a target or a file that is not there."""


@dataclass(frozen=True)
class Step:
    """One step: a command with its variables, or an action of somebody else."""

    command: str | None
    action: str | None
    env: Mapping[str, str]

    @property
    def tried(self) -> str:
        """What is run for it here."""
        command = str(self.command)
        if command in LOOKED_UP:
            return command.replace("make ", "make --dry-run ", 1)
        # A rendered stack has no cluster to ask: tests/acceptance/test_deployment.py does, on a real one.
        return command.replace("preview --refresh ", "preview ")

    @property
    def left_out(self) -> str | None:
        """Why it is not run here; None for what is."""
        return LEFT_OUT.get(self.command or str(self.action).partition("@")[0])


@dataclass(frozen=True)
class Job:
    """A job, with the variables that all of its steps have."""

    forge: str
    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return f"{self.forge}: {self.name}"


def jobs() -> list[Job]:
    """Every job of both forges."""
    return [*_github(), *_gitlab()]


def _github() -> Iterator[Job]:
    for path in _GITHUB:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            found = tuple(
                Step(each.get("run"), each.get("uses"), each.get("env", {})) for each in job["steps"]
            )
            yield Job("GitHub", f"{path.stem}/{name}", job.get("env", {}), found)


def _gitlab() -> Iterator[Job]:
    content: dict[str, Any] = yaml.safe_load(_GITLAB.read_text())
    for name, job in content.items():
        if name not in _NO_JOBS:
            lines = [
                line for part in ("before_script", "script", "after_script") for line in job.get(part, ())
            ]
            yield Job("GitLab", name, job.get("variables", {}), tuple(Step(line, None, {}) for line in lines))


def valued(env: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Variables of a step, with the forge's expressions replaced. Raises KeyError for one that `given` lacks."""
    return {
        key: re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: given[found[1]], str(value))
        for key, value in env.items()
    }
