"""The account for previews in CI can ask the API server what would happen, and change nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ops.stacks import ROOT
from tests.acceptance.stack import JOE, Stack, eventually
from tests.engine.program import Run
from tests.lab.errors import LabError

_MANIFEST = ROOT / "docs/how-to/preview-account.yaml"
_ACCOUNT = "kolab-preview"
pytestmark = [pytest.mark.mode("single-node"), pytest.mark.proves()]


@pytest.fixture(scope="module")
def kubeconfig(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kubeconfig of the account, which lives as long as these tests."""
    stack.lab.kubectl("apply", "-f", str(_MANIFEST))
    secret = ("-n", "default", "secret", _ACCOUNT)
    token: str = eventually(
        lambda: stack.lab.get(*secret).get("data", {}).get("token"), "the account never gets its token"
    )
    config = yaml.safe_load(Path(stack.lab.kubeconfig).read_text())
    for user in config["users"]:
        user["user"] = {"token": base64.b64decode(token).decode()}
    path = tmp_path_factory.mktemp("account") / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    try:
        yield path
    finally:
        stack.lab.kubectl("delete", "--wait=false", "--ignore-not-found", "-f", str(_MANIFEST))


def _run(stack: Stack, kubeconfig: Path, *arguments: str) -> Run:
    return stack.program.engine(*arguments, env={**stack.environment, "KUBECONFIG": str(kubeconfig)})


def test_a_preview_with_it_succeeds_and_an_update_fails_and_changes_nothing(
    stack: Stack, kubeconfig: Path
) -> None:
    before, config = _objects(stack), stack.program.config()
    stack.program.change({"mail.postmaster": JOE, "mail.messageSizeLimit": "40Mi"})
    try:
        seen = _run(stack, kubeconfig, "preview")
        assert seen.code == 0, seen.output
        # Waits for the policy, which the API server enforces some seconds after it was made.
        eventually(lambda: _refused(stack), "the admission policy is never enforced", seconds=60)
        tried = _run(stack, kubeconfig, "up", "--yes", "--skip-preview")
        assert tried.code != 0
        assert "this account only previews" in tried.output
    finally:
        stack.program.write(config)
    assert _objects(stack) == before
    done = stack.up()
    assert done.code == 0, done.output


def _refused(stack: Stack) -> bool:
    """Whether the account is kept from a change that its role would let it make."""
    made = [
        "create",
        "configmap",
        "of-the-preview-account",
        "--as",
        f"system:serviceaccount:default:{_ACCOUNT}",
    ]
    try:
        stack.kubectl(*made)
    except LabError as error:
        return "only previews" in str(error)
    stack.kubectl("delete", "configmap", "of-the-preview-account")
    return False


def _objects(stack: Stack) -> str:
    """Everything in the namespace that the stack made, without what its controllers write."""
    kinds = "configmaps,secrets,services,deployments,statefulsets,cronjobs,jobs,networkpolicies,persistentvolumeclaims"
    # The scheduler starts a Job each minute.
    found = [each for each in stack.get(kinds)["items"] if "ownerReferences" not in each["metadata"]]
    return json.dumps(
        sorted((each["kind"], each["metadata"]["name"], json.dumps(each.get("spec"))) for each in found)
    )
