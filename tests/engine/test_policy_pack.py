"""The engine asks the policy pack about every object, also about what somebody adds to the program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.conftest import Deployed
from tests.engine.program import CHECKOUT, Program

_PACK = CHECKOUT / "policy"
_MADE = "        kolab = Kolab(settings, config.require_secret, guard, here, deployed=seen.deployed)\n"
_ADDED = """        from pulumi_kubernetes import core, meta

        core.v1.Service(
            "backdoor",
            metadata=meta.v1.ObjectMetaArgs(name="backdoor", namespace=settings.kubernetes.namespace),
            spec=core.v1.ServiceSpecArgs(
                type="LoadBalancer",
                selector={"app.kubernetes.io/name": "postfix"},
                ports=[core.v1.ServicePortArgs(port=587, target_port="submission")],
            ),
            opts=pulumi.ResourceOptions(parent=kolab),
        )
"""


@pytest.fixture
def guarded(local: Deployed, tmp_path: Path) -> Program:
    """A copy of the deployed stack with the pack beside it, as in a checkout."""
    program = local.program.copy(tmp_path / "program")
    if not (_PACK / ".venv" / "ready").exists():
        pytest.skip("the policy pack has no virtual environment here: make policy")
    shutil.copytree(_PACK, program.root / "policy", ignore=shutil.ignore_patterns(".venv"))
    (program.root / "policy" / ".venv").symlink_to(_PACK / ".venv")
    return program


def test_a_shipped_stack_passes_with_warnings_at_most(guarded: Program) -> None:
    found = guarded.preview("--policy-pack", "policy")
    assert found.code == 0, found.output
    assert "[mandatory]" not in found.output


def test_a_way_past_the_proxy_that_somebody_adds_is_refused_by_its_id(guarded: Program) -> None:
    program = guarded.root / "__main__.py"
    text = program.read_text()
    assert text.count(_MADE) == 1
    program.write_text(text.replace(_MADE, _MADE + _ADDED))
    found = guarded.preview("--policy-pack", "policy")
    assert found.code != 0
    assert "[mandatory]  object-inside-port" in found.output, found.output
    assert "[mandatory]  object-client-address" in found.output
    assert "Traceback" not in found.output
