"""The workflows of forges: least rights, nothing for strangers, and steps that anybody can run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchain import versions

CHECKOUT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
_OURS = re.compile(
    r"^(make [a-z-]+|sudo tests/install-packages test|\./kolab .+|\.github/scripts/[a-z-]+\.sh .+)( > \S+( 2>&1)?)?$"
)
_FORGES = re.compile(
    r"^(gh (pr comment|release create) .+|cat report\.md >> \"\$GITHUB_STEP_SUMMARY\""
    r"|\(umask 077 && printf '%s' \"\$KUBECONFIG_CONTENT\" > \"\$RUNNER_TEMP/kubeconfig\"\))$"
)


def load(path: Path) -> dict[str, Any]:
    """A workflow. YAML 1.1 reads its key `on` as true."""
    content: dict[Any, Any] = yaml.safe_load(path.read_text())
    content["on"] = content.pop(True)
    return content


def jobs() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(name of the file, workflow, job)."""
    for path in WORKFLOWS:
        workflow = load(path)
        for job in workflow["jobs"].values():
            yield path.stem, workflow, job


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_grants_nothing_that_a_job_does_not_ask_for(path: Path) -> None:
    assert load(path)["permissions"] == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_code_of_strangers_never_meets_a_secret(path: Path) -> None:
    """`pull_request_target` and `workflow_run` would run with secrets what a fork has written."""
    workflow = load(path)
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow["on"])
    if "pull_request" in workflow["on"]:
        for job in workflow["jobs"].values():
            closed = "head.repo.full_name == github.repository" in str(job.get("if"))
            assert closed or "secrets." not in yaml.safe_dump(job)


def test_whoever_holds_a_secret_waits_for_the_reviewers_of_an_environment() -> None:
    for name, _, job in jobs():
        if "secrets." in yaml.safe_dump(job):
            assert job.get("environment"), name


def test_a_running_update_is_never_cancelled() -> None:
    (up,) = (job for name, _, job in jobs() if name == "deploy")
    assert up["concurrency"]["cancel-in-progress"] is False


def test_previews_never_hold_the_credentials_that_can_write() -> None:
    for name, _, job in jobs():
        if name in ("preview", "drift"):
            assert "secrets.KUBECONFIG " not in yaml.safe_dump(job)
            assert "secrets.KUBECONFIG_READ_ONLY" in yaml.safe_dump(job)


def test_every_action_is_pinned_by_its_commit() -> None:
    for name, _, job in jobs():
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), (name, step)


def test_a_checkout_keeps_no_token() -> None:
    for name, _, job in jobs():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name


def test_every_step_is_a_command_of_this_project_or_of_the_forge() -> None:
    """So that each can be tried without a forge, and none hides work in a workflow."""
    for name, _, job in jobs():
        for step in job["steps"]:
            if "run" in step:
                assert _OURS.match(step["run"]) or _FORGES.match(step["run"]), (name, step["run"])


def test_no_expression_is_part_of_a_shell_command() -> None:
    """Names of branches and stacks are chosen by others; variables are not read as program text."""
    for name, _, job in jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), (name, step)


def test_the_installed_pulumi_is_the_one_that_the_project_pins() -> None:
    found = [
        str(step["with"]["pulumi-version"])
        for _, _, job in jobs()
        for step in job["steps"]
        if step.get("uses", "").startswith("pulumi/actions@")
    ]
    assert set(found) == {versions.PULUMI}
