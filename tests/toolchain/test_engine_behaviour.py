"""Whole `pulumi` runs with the stand-ins end as the recorded ones with the genuine plugin did (cli.json)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toolchain.ensure import STAND_IN_NOTICE, NotReady
from toolchain.env import environment

pytestmark = pytest.mark.engine

Case = dict[str, Any]
CASES: dict[str, Case] = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "provider_behaviour" / "cli.json").read_text())
}

# The program the recorder ran; each case changes one of its settings.
PROGRAM = """
import pulumi, pulumi_kubernetes as k8s
config = pulumi.Config()
data, folder, web, cfg, small = (config.require(k) for k in ("data", "folder", "web", "cfg", "small"))
provider = k8s.Provider("k8s", render_yaml_to_directory=folder)
opts = pulumi.ResourceOptions(provider=provider)
k8s.core.v1.ConfigMap(cfg, metadata={"name": "cfg", "namespace": "lab"}, data={"a": data}, opts=opts)
k8s.core.v1.Service("web", metadata={"name": web, "namespace": "lab"}, opts=opts,
                    spec={"selector": {"app": "web"}, "ports": [{"port": 80}]})
if small == "no":
    k8s.core.v1.ConfigMap("auto", metadata={"namespace": "lab"}, data={"a": data}, opts=opts)
    k8s.core.v1.Secret("sec", metadata={"name": "sec", "namespace": "lab"}, string_data={"k": "v"}, opts=opts)
    k8s.apiextensions.CustomResource("box", api_version="kolab.example/v1", kind="Mailbox", opts=opts,
                                     metadata={"name": "box", "namespace": "lab"}, spec={"quota": int(data)})
"""
SETTINGS = {"data": "1", "folder": "out", "web": "web", "cfg": "cfg", "small": "no"}


class Project:
    """A throw-away project with its own state, run by the real engine."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.settings = {**SETTINGS, **settings}
        (directory / "state").mkdir()
        (directory / "Pulumi.yaml").write_text("name: rec\nruntime: python\n")
        (directory / "__main__.py").write_text(PROGRAM)
        self.env = environment(python=sys.executable)
        self.env.pop("KUBECONFIG", None)
        self.env |= {
            "HOME": str(directory),
            "PULUMI_BACKEND_URL": f"file://{directory}/state",
            "PULUMI_CONFIG_PASSPHRASE": "test",
        }
        self.pulumi("stack", "init", "dev")

    def pulumi(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run the CLI with the current settings."""
        lines = "".join(f"  rec:{key}: '{value}'\n" for key, value in self.settings.items())
        salt = self._salt()
        (self.directory / "Pulumi.dev.yaml").write_text(f"{salt}config:\n{lines}")
        return subprocess.run(
            ["pulumi", *command, "--non-interactive", "--color", "never"],
            cwd=self.directory,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def up(self) -> Case:
        """`pulumi up`, told as the recorder tells it."""
        return self._told(self.pulumi("up", "--yes", "--skip-preview", "--stack", "dev"))

    def refresh(self) -> Case:
        """`pulumi refresh`, told as the recorder tells it."""
        return self._told(self.pulumi("refresh", "--yes", "--skip-preview", "--stack", "dev"))

    def preview(self) -> Case:
        """`pulumi preview --json`, told as the recorder tells it."""
        run = self.pulumi("preview", "--json", "--stack", "dev")
        found = json.loads(run.stdout)
        steps = []
        for step in found["steps"]:
            kind, name = step["urn"].split("::")[2:]
            if step["op"] == "same" and kind != "pulumi:pulumi:Stack":
                continue
            entry = {"op": step["op"], "resource": f"{kind}::{name}"}
            entry |= {key: step[key] for key in ("replaceReasons", "detailedDiff") if step.get(key)}
            steps.append(entry)
        warnings = {d["message"].strip() for d in found["diagnostics"] if d["severity"] == "warning"}
        return {
            "exitCode": run.returncode,
            "filesAfter": self.files(),
            "steps": steps,
            "changeSummary": found["changeSummary"],
            "warnings": sorted(
                f"warning: {w}" if not w.startswith("warning") else w
                for w in warnings
                if STAND_IN_NOTICE not in w
            ),
        }

    def files(self) -> list[str]:
        """The rendered files of every folder."""
        found = (p for folder in self.directory.glob("out*") for p in folder.rglob("*") if p.is_file())
        return sorted(str(p.relative_to(self.directory)) for p in found)

    def _salt(self) -> str:
        file = self.directory / "Pulumi.dev.yaml"
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        return "".join(line for line in lines if line.startswith("encryptionsalt"))

    def _told(self, run: subprocess.CompletedProcess[str]) -> Case:
        done = r"^\s*([-+~]+) +(kubernetes:\S+) (\S+) ((?:created|updated|replaced|deleted)(?: replacement| original)?)"
        sequence = {" ".join(found) for found in re.findall(done, run.stdout, re.MULTILINE)}
        told, _, summary = run.stdout.partition("\nResources:\n")
        diagnostics = {line.strip() for line in told.partition("\nDiagnostics:\n")[2].splitlines()}
        result = {
            "exitCode": run.returncode,
            "filesAfter": self.files(),
            "summary": sorted(line.strip() for line in summary.partition("\n\n")[0].splitlines()),
            "sequence": sorted(sequence),
        }
        told_lines = sorted(
            d for d in diagnostics if d.startswith(("warning:", "error:")) and STAND_IN_NOTICE not in d
        )
        return {**result, **({"diagnostics": told_lines} if told_lines else {})}


def agree(answer: Case, recorded: Case) -> None:
    """Compare, whatever the order in which independent resources were worked on."""

    def stable(case: Case) -> Any:
        text = re.sub(r"-[0-9a-f]{8}\.yaml", "-<digits>.yaml", json.dumps(case))
        return {
            key: sorted(map(str_of, v)) if isinstance(v, list) else v for key, v in json.loads(text).items()
        }

    def str_of(value: Any) -> str:
        return json.dumps(value, sort_keys=True)

    assert stable(answer) == stable(recorded)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """Every case in the order of the recording: each starts where the one before it ended."""
    try:
        project = Project(tmp_path_factory.mktemp("rec"))
    except NotReady as reason:
        pytest.skip(str(reason))
    if "stand-ins" not in project.env.get("PULUMI_HOME", ""):
        pytest.skip(
            "the genuine kubernetes plugin is installed: nothing here to hold to its recorded answers"
        )
    found = {"up": project.up(), "cli-refresh-no-kubeconfig": project.refresh()}
    project.settings |= {"data": "2"}
    found["cli-preview-data-change"] = project.preview()
    found["cli-up-data-change"] = project.up()
    shutil.rmtree(project.directory / "out")
    found["cli-up-folder-deleted"] = project.up()
    project.settings |= {"web": "web2"}
    project.up()
    project.settings |= {"folder": "out2"}
    found["cli-up-directory-change"] = project.up()
    renamed = Project(tmp_path_factory.mktemp("renamed"), small="yes")
    renamed.up()
    renamed.settings |= {"cfg": "cfg-renamed"}
    found["cli-up-logical-rename-without-alias"] = renamed.up()
    return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_ends_as_recorded(case: Case, answers: dict[str, Case]) -> None:
    agree(answers[case["id"]], case["result"])


def test_the_first_run_creates_everything(answers: dict[str, Case]) -> None:
    assert answers["up"]["summary"] == ["+ 7 created"]


HOOKED = """
import pulumi, pulumi_kubernetes as k8s
async def refuse(args):
    if not pulumi.Config().get_bool("acknowledged"):
        raise Exception("the mail of the domain would be lost")
hook = pulumi.ResourceHook("refuse", refuse, opts=pulumi.ResourceHookOptions(on_dry_run=True))
opts = pulumi.ResourceOptions(provider=k8s.Provider("k8s", render_yaml_to_directory="out"),
                              hooks=pulumi.ResourceHookBinding(before_delete=[hook]))
k8s.core.v1.Namespace("mail", metadata={"name": "mail"}, opts=opts)
"""


def test_a_delete_hook_refuses_in_preview_and_lets_go_when_acknowledged(tmp_path: Path) -> None:
    project = Project(tmp_path, acknowledged="false")
    (tmp_path / "__main__.py").write_text(HOOKED)
    project.up()
    destroy = ("destroy", "--run-program", "--stack", "dev")
    refused = project.pulumi(*destroy, "--preview-only")
    assert "the mail of the domain would be lost" in refused.stdout
    assert refused.returncode != 0
    project.settings |= {"acknowledged": "true"}
    assert project.pulumi(*destroy, "--yes", "--skip-preview").returncode == 0
    assert project.files() == []
