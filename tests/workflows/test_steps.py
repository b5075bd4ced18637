"""Each job's steps, run in order in a clean clone: with a backend of files, a stack that is rendered, and a `gh` that notes
what it was asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import images
from tests.engine.program import checkout_environment
from tests.support import clone
from tests.workflows.steps import LEFT_OUT, LOOKED_UP, Job, jobs, valued

TAG = "v0.1.0"
STACK = "ci"
_NEEDS_A_STACK = ("up", "preview", "drift")
_UP = "GitHub: deploy/up"
_CONFIG: dict[str, Any] = {
    "mode": "single-node",
    "domain": "kolabtest.eu",
    "kubernetes": {"render": f"rendered/{STACK}/manifests"},
    "network": {
        "addresses": {"all": "11.0.0.1"},
        "egress": {"mode": "nodes", "nodes": {"server1": ["11.0.0.1"]}},
    },
    "dns": {"zones": {"kolabtest.eu": ""}, "nameservers": {"ns1.kolabtest.net": [], "ns2.kolabtest.net": []}},
    "mail": {"postmaster": "jane@kolabtest.eu"},
    "monitoring": {"alerts": {"email": "jane@kolabtest.net"}},
    "tls": {"issuer": "selfSigned"},
    "images": {"digests": dict.fromkeys((*images.KOLAB, *images.OTHERS), f"sha256:{'1' * 64}")},
}


def test_every_step_is_run_here_or_left_out_for_a_reason() -> None:
    for job in jobs():
        assert job.steps, job
        for step in job.steps:
            assert (step.command is None) != (step.action is None), (job, step)
            assert step.command or step.left_out, (
                f"{job}: {step.action} is neither run nor listed in LEFT_OUT"
            )


def test_nothing_is_left_out_that_no_job_has() -> None:
    found = {step.command or str(step.action).partition("@")[0] for job in jobs() for step in job.steps}
    assert {*LEFT_OUT, *LOOKED_UP} <= found


@dataclass
class Forge:
    """A clean clone, and what a forge gives to its jobs."""

    root: Path
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """What the runner and the project's own settings set."""
        return {
            **checkout_environment(),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_REPOSITORY": "example/kolab",
            "RUNNER_TEMP": str(self.folder),
        }

    @property
    def given(self) -> dict[str, str]:
        """GitHub's expressions and GitLab's variables."""
        return {
            "github.base_ref": "main",
            "github.ref_name": TAG,
            "github.event.number": "7",
            "github.token": "a-token",
            "github.server_url": "https://forge.example",
            "github.repository": "example/kolab",
            "github.run_id": "1",
            "matrix.stack": STACK,
            "runner.temp": str(self.folder),
            "vars.PULUMI_BACKEND_URL": f"file://{self.folder / 'backend'}",
            "secrets.PULUMI_ACCESS_TOKEN": "",
            "secrets.PULUMI_CONFIG_PASSPHRASE": "of-the-forge",
            "secrets.KUBECONFIG": "{}",
            "secrets.KUBECONFIG_READ_ONLY": "{}",
        }

    @property
    def gitlab(self) -> dict[str, str]:
        """What GitLab and the project's settings there give to every job."""
        given = self.given
        return {
            "STACK": STACK,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main",
            "PULUMI_BACKEND_URL": given["vars.PULUMI_BACKEND_URL"],
            "PULUMI_CONFIG_PASSPHRASE": given["secrets.PULUMI_CONFIG_PASSPHRASE"],
        }

    def run(self, job: Job) -> None:
        """The steps of a job, in order; one that fails ends the test with what it printed."""
        of_forge = self.gitlab if job.forge == "GitLab" else {}
        for step in job.steps:
            if step.left_out is None:
                own = {**valued(job.env, self.given), **valued(step.env, self.given)}
                self.shell(step.tried, {**of_forge, **own})

    def shell(self, command: str, env: Mapping[str, str]) -> str:
        """What a command prints that has to succeed, as a runner starts it."""
        done = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=self.root,
            env={**self.variables, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def asked(self) -> list[str]:
        """What `gh` was asked."""
        return (self.folder / "gh.log").read_text().splitlines()


def _forge(folder: Path, repository: Path, backend: Path | None = None) -> Forge:
    """A clone with a branch of its own, beside what a runner has."""
    (folder / "bin").mkdir(parents=True)
    (folder / "backend").mkdir()
    if backend is not None:
        shutil.copytree(backend, folder / "backend", dirs_exist_ok=True)
    gh = folder / "bin" / "gh"
    gh.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {folder / "gh.log"}\n')
    gh.chmod(0o755)
    root = folder / "checkout"
    clone.git(folder, "clone", "--quiet", str(repository), str(root))
    clone.lend(root)
    # The policy pack has an environment of its own, from the network: nothing is judged by it here.
    (root / "policy" / ".venv").mkdir()
    (root / "policy" / ".venv" / "ready").touch()
    return Forge(root, folder)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of somebody who has a stack, with a tag."""
    root = tmp_path_factory.mktemp("repository") / "kolab"
    clone.repository(root)
    (root / "stacks" / f"Pulumi.{STACK}.yaml").write_text(
        yaml.safe_dump({"config": {f"kolab:{key}": value for key, value in _CONFIG.items()}})
    )
    log = (root / "CHANGELOG.md").read_text()
    (root / "CHANGELOG.md").write_text(log.replace("## [Unreleased]", f"## [{TAG[1:]}]", 1))
    maker = _forge(root.parent / "maker", root)
    shutil.copy2(root / "stacks" / f"Pulumi.{STACK}.yaml", maker.root / "stacks")
    maker.shell(f"./kolab pulumi stack init {STACK} && ./kolab secrets --stack {STACK}", maker.gitlab)
    shutil.copy2(maker.root / "stacks" / f"Pulumi.{STACK}.yaml", root / "stacks")
    shutil.copytree(maker.folder / "backend", root.parent / "backend")
    clone.commit(root, "a stack")
    clone.git(root, "tag", TAG)
    return root


@pytest.fixture(scope="module")
def deployed(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """After the first `up`, by the job that does it."""
    made = _forge(tmp_path_factory.mktemp("deployed"), bare, bare.parent / "backend")
    made.run(next(job for job in jobs() if str(job) == _UP))
    return made


@pytest.fixture
def forge(request: pytest.FixtureRequest, bare: Path, tmp_path: Path) -> Callable[[Job], Forge]:
    """A clean clone for a job: of a stack that is deployed for those that look at one."""

    def make(job: Job) -> Forge:
        if job.name.rpartition("/")[2] not in _NEEDS_A_STACK:
            return _forge(tmp_path / "runner", bare)
        before: Forge = request.getfixturevalue("deployed")
        made = _forge(tmp_path / "runner", bare, before.folder / "backend")
        # What this stack is rendered to stands for the cluster, which every runner reaches.
        shutil.copytree(before.root / "rendered", made.root / "rendered")
        return made

    return make


@pytest.mark.engine
@pytest.mark.parametrize("job", [job for job in jobs() if str(job) != _UP], ids=str)
def test_the_steps_of_a_job_run_in_order_in_a_clean_clone(job: Job, forge: Callable[[Job], Forge]) -> None:
    runner = forge(job)
    if job.name.rpartition("/")[2] in ("report", "preview"):
        clone.git(runner.root, "checkout", "--quiet", "-b", "change")
        file = runner.root / "stacks" / f"Pulumi.{STACK}.yaml"
        file.write_text(file.read_text().replace("jane@kolabtest.eu", "joe@kolabtest.eu"))
        clone.commit(runner.root, "another postmaster")
    runner.run(job)
    _left_behind(job, runner)


@pytest.mark.engine
def test_the_steps_of_the_job_that_deploys_run_in_order_in_a_clean_clone(deployed: Forge) -> None:
    assert list((deployed.root / "rendered" / STACK / "manifests").rglob("*.yaml"))


def _left_behind(job: Job, runner: Forge) -> None:
    """What a job is for is there afterwards."""
    name = job.name.rpartition("/")[2]
    if name in ("report", "preview"):
        (report,) = runner.root.glob("report.*")
        assert f"{STACK}: needs care" in report.read_text()
        assert "postfix restarts" in report.read_text()
    if job.name == "preview/preview":
        assert runner.asked() == [
            "pr comment 7 --repo example/kolab --edit-last --create-if-none --body-file report.md"
        ]
    if job.name == "drift/drift":
        assert runner.asked()[0].startswith(
            f'issue list --repo example/kolab --state open --search in:title "Stack {STACK}'
        )
    if job.name == "release/release":
        dist = sorted(path.name for path in (runner.root / "dist").iterdir())
        base = f"kolab-on-kubernetes-{TAG[1:]}"
        assert dist == ["SHA256SUMS", f"{base}.cdx.json", f"{base}.tar.gz"]
        assert json.loads((runner.root / "dist" / f"{base}.cdx.json").read_text())["components"]
        assert runner.shell("cd dist && sha256sum --check SHA256SUMS", {}).count(": OK") == 2
        assert runner.asked()[0].startswith(f"release create {TAG} ")


@pytest.mark.engine
def test_drift_is_noticed_and_opens_an_issue_that_repeats_no_address(deployed: Forge) -> None:
    """The last step alone: what it says of a log is all that the issue holds."""
    log = deployed.root / "drift.txt"
    log.write_text("secret line 192.0.2.1\nerror: no changes were expected\n")
    deployed.shell(
        f".github/scripts/report-drift.sh {STACK} drift.txt",
        {"GH_TOKEN": "a-token", "RUN_URL": "https://forge.example/run"},
    )
    said = "\n".join(deployed.asked())
    assert "issue create" in said
    assert "no changes were expected" in said
    assert "192.0.2.1" not in said
