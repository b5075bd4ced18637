"""`destroy` stops at data; what is told to leave data alone leaves exactly them, and `up` finds them again."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from components.guard import RULE
from tests.engine.conftest import Deployed
from tests.engine.program import Program, Run, at_once


@dataclass(frozen=True)
class Emptied:
    """A stack after everything but data was destroyed, and after the `up` that followed."""

    data: set[str]
    left: set[str]
    kept: list[str]
    again: Run
    program: Program


def _empty(program: Program) -> Emptied:
    data = {resource["urn"] for resource in program.state() if resource.get("protect")}
    found = program.destroy("--exclude-protected", "--run-program")
    assert found.code == 0, found.output
    left = {resource["urn"] for resource in program.state() if resource["type"].startswith("kubernetes:")}
    kept = [item["kind"] for item in program.objects()]
    return Emptied(data, left, kept, program.up(), program)


@dataclass(frozen=True)
class Destroyed:
    """A plain `destroy`, the one of make, and one that leaves out what is protected."""

    plain: Run
    of_make: Run
    untouched: Program
    emptied: Emptied


@pytest.fixture(scope="module")
def destroyed(local: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Destroyed:
    untouched, emptied = (local.program.copy(tmp_path_factory.mktemp("destroyed") / "p") for _ in range(2))
    plain = untouched.destroy()
    done = at_once(
        {"of make": lambda: untouched.destroy("--run-program"), "emptied": lambda: _empty(emptied)}
    )
    return Destroyed(plain, done["of make"], untouched, done["emptied"])


def test_neither_a_plain_destroy_nor_that_of_make_deletes_anything(
    destroyed: Destroyed, local: Deployed
) -> None:
    assert destroyed.plain.code != 0
    assert destroyed.of_make.code != 0
    assert destroyed.untouched.files() == local.program.files()


def test_the_destroy_of_make_names_the_rule(destroyed: Destroyed) -> None:
    assert any(f"[{RULE}]" in error for error in destroyed.of_make.errors), destroyed.of_make.output


def test_a_refused_destroy_shows_no_traceback(destroyed: Destroyed) -> None:
    assert not re.search("Traceback|KeyboardInterrupt", destroyed.of_make.output)


def test_a_destroy_without_protected_resources_leaves_exactly_the_data(destroyed: Destroyed) -> None:
    emptied = destroyed.emptied
    assert emptied.left == emptied.data
    assert len(emptied.kept) == len(emptied.data)
    assert set(emptied.kept) == {"Namespace", "PersistentVolumeClaim", "Secret"}


def test_an_up_after_such_a_destroy_finds_the_data_again(destroyed: Destroyed, local: Deployed) -> None:
    again = destroyed.emptied.again
    assert again.code == 0, again.output
    touched = {operation.name for operation in again.operations}
    assert not touched & {urn.rpartition("::")[2] for urn in destroyed.emptied.data}
    assert destroyed.emptied.program.files() == local.program.files()
