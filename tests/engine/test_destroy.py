"""`destroy` stops at data; what is told to leave data alone leaves exactly them, and `up` finds them again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from components.guard import RULE
from tests.engine.conftest import Deployed
from tests.engine.program import Program, Run


def test_a_plain_destroy_deletes_nothing(local: Deployed) -> None:
    before = local.program.files()
    found = local.program.destroy()
    assert found.code != 0
    assert local.program.files() == before


def test_the_destroy_of_make_stops_in_its_preview_with_the_rule(local: Deployed) -> None:
    before = local.program.files()
    found = local.program.destroy("--run-program")
    assert found.code != 0
    assert any(f"[{RULE}]" in error for error in found.errors), found.output
    assert local.program.files() == before


@dataclass(frozen=True)
class Emptied:
    """A stack after everything but data was destroyed, and after the `up` that followed."""

    data: set[str]
    left: set[str]
    kept: list[str]
    again: Run
    program: Program


@pytest.fixture(scope="module")
def emptied(local: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Emptied:
    program = local.program.copy(tmp_path_factory.mktemp("emptied") / "program")
    data = {resource["urn"] for resource in program.state() if resource.get("protect")}
    found = program.destroy("--exclude-protected", "--run-program")
    assert found.code == 0, found.output
    left = {resource["urn"] for resource in program.state() if resource["type"].startswith("kubernetes:")}
    kept = [item["kind"] for item in program.objects()]
    return Emptied(data, left, kept, program.up(), program)


def test_a_destroy_without_protected_resources_leaves_exactly_the_data(emptied: Emptied) -> None:
    assert emptied.left == emptied.data
    assert len(emptied.kept) == len(emptied.data)
    assert set(emptied.kept) == {"Namespace", "PersistentVolumeClaim", "Secret"}


def test_an_up_after_such_a_destroy_finds_the_data_again(emptied: Emptied, local: Deployed) -> None:
    assert emptied.again.code == 0, emptied.again.output
    touched = {operation.name for operation in emptied.again.operations}
    assert not touched & {urn.rpartition("::")[2] for urn in emptied.data}
    assert emptied.program.files() == local.program.files()
