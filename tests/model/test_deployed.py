"""The deployed model is read back from every release that exported one, and from no later one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from model.deployed import SCHEMA, Deployed, UnreadableModel
from model.step import Step, judge
from model.transition import snapshot
from model.version import VERSION
from ops.stacks import ROOT
from tests.identity.stacks import stack

STORED = sorted((Path(__file__).parent / "deployed_models").glob("schema-*.json"))
"""What the engine gives back of the stack of tests/identity/stacks.py, as releases of the past exported it."""


def of_release(path: Path) -> Deployed | None:
    """A stored model, with the keys of this run."""
    output = json.loads(path.read_text())
    for name, key in snapshot(stack()).dkim.items():
        output["dkim"][name]["publicKey"] = key.public_key
    return Deployed.read(output)


def stored(**changes: Any) -> dict[str, Any]:
    """A model of today, as exported, with some of its keys changed."""
    return snapshot(stack()).exported() | changes


def test_the_version_is_the_one_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_what_is_exported_names_the_version_and_the_schema() -> None:
    found = snapshot(stack()).exported()
    assert (found["version"], found["schema"]) == (VERSION, SCHEMA)
    assert found == json.loads(json.dumps(found))


def test_there_is_a_stored_model_of_each_schema_before_this_one() -> None:
    assert [path.name for path in STORED] == [f"schema-{number}.json" for number in range(1, SCHEMA)]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_model_of_an_older_release_is_read_as_it_was_meant(path: Path) -> None:
    found = of_release(path)
    assert found is not None
    assert found.model_copy(update={"version": VERSION}) == snapshot(stack())
    assert judge(found, stack()) == Step((), "")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_change_is_judged_from_a_model_of_an_older_release(path: Path) -> None:
    found = judge(of_release(path), stack(mail__mx={"stage": "hold"}))
    assert "mx-lost" in {finding.rule for finding in found.findings}


@pytest.mark.parametrize("output", [None, {}])
def test_before_the_first_deployment_there_is_none(output: dict[str, Any] | None) -> None:
    assert Deployed.read(output) is None


def test_a_model_of_a_later_schema_is_refused_in_one_sentence() -> None:
    with pytest.raises(UnreadableModel) as caught:
        Deployed.read(stored(schema=SCHEMA + 1.0, version="9.9.9"))
    assert "version 9.9.9" in str(caught.value)
    assert f"reads up to {SCHEMA}. Fix: check out that version" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"ttl": "soon"},
        {"mx": {"stage": "live"}},
        {"addresses": None},
        {"schema": 0},
        {"schema": "x"},
        {"dkim": []},
    ],
    ids=str,
)
def test_a_damaged_model_is_refused_in_one_sentence(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableModel, match="Fix: ") as caught:
        Deployed.read(stored(**changes))
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_a_key_that_a_later_release_added_is_left_unread() -> None:
    assert Deployed.read(stored(more={"a": 1})) == snapshot(stack())
