"""A stack of an earlier version is taken over by this one: what holds data stays, the rest is updated."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.engine.identity.conftest import Published
from tests.engine.program import Program, Run, sources
from tests.upgrade.releases import STACKS, Release, releases

pytestmark = pytest.mark.engine

_GONE = ("delete", "replace", "delete-replaced", "create-replacement")
_LASTING = ("Namespace", "PersistentVolumeClaim", "StatefulSet", "Deployment", "DaemonSet")
"""Kinds that hold data, or whose replacement is an outage."""


@dataclass(frozen=True)
class Upgrade:
    """A stack of an earlier version and the preview of this one."""

    release: Release
    stack: str
    preview: Run

    def resources(self) -> list[dict[str, object]]:
        """What the earlier version made."""
        found: list[dict[str, object]] = json.loads(self.release.state(self.stack))["deployment"]["resources"]
        return found


@pytest.fixture(
    scope="module",
    params=[(release, stack) for release in releases() for stack in STACKS],
    ids=lambda each: f"{each[0].version}-{each[1]}",
)
def upgrade(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    release, stack = request.param
    kind = Published if stack == "cluster" else Program
    program = kind(tmp_path_factory.mktemp("upgrade") / "program", stack)
    sources(program.root)
    release.take_over(program)
    return Upgrade(release, stack, program.preview())


def test_the_stack_file_of_an_earlier_version_is_read(upgrade: Upgrade) -> None:
    assert upgrade.preview.code == 0, upgrade.preview.output


def test_nothing_guarded_is_replaced_or_deleted(upgrade: Upgrade) -> None:
    guarded = {str(each["urn"]).rpartition("::")[2] for each in upgrade.resources() if each.get("protect")}
    gone = {each.name for each in upgrade.preview.operations if each.action in _GONE}
    assert guarded
    assert not guarded & gone


def test_nothing_that_runs_or_holds_data_is_replaced_or_deleted(upgrade: Upgrade) -> None:
    lost = [
        f"{each.action} {each.kind} {each.name}"
        for each in upgrade.preview.operations
        if each.action in _GONE and each.kind in _LASTING
    ]
    assert not lost, "\n".join(lost)
