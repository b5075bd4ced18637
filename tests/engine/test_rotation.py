"""A secret that is exchanged in the stack file: seen by the engine, refused as an accident, let through as a rotation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.engine.conftest import Deployed
from tests.engine.program import Program, Run, at_once

_NEW = {
    "databasePassword": "anotherpasswordofthedatabase1234",
    "redisPassword": "anotherpasswordofredis1234567890",
    "appKey": "base64:" + "A" * 43 + "=",
}
_ROTATED = ("databasePassword", "redisPassword")
_HOLD = {"mariadb-credentials", "redis-credentials"}


@dataclass(frozen=True)
class Rotated:
    """What the engine said of each way to change the same secrets."""

    accident: Run
    rotation: Run
    afterwards: Run


def _set(program: Program, *keys: str) -> None:
    for key in keys:
        program.must("config", "set", "--secret", f"kolab:{key}", _NEW[key], "--stack", program.stack)


@pytest.fixture(scope="module")
def rotated(local: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Rotated:
    accident = local.program.copy(tmp_path_factory.mktemp("accident") / "program")
    rotation = local.program.copy(tmp_path_factory.mktemp("rotation") / "program")
    _set(accident, *_NEW)
    _set(rotation, *_ROTATED)
    rotation.change({f"rotations.{key}": 1 for key in _ROTATED})
    done = at_once({"accident": accident.preview, "rotation": rotation.up})
    return Rotated(done["accident"], done["rotation"], rotation.preview("--expect-no-changes"))


@pytest.mark.parametrize("key", _NEW)
def test_an_accident_is_refused_before_the_first_resource(rotated: Rotated, key: str) -> None:
    assert rotated.accident.code != 0
    assert rotated.accident.operations == []
    said = "".join(rotated.accident.errors)
    assert f"kolab:{key}: is another value than the deployed one" in said
    assert "[secret-change]" in said
    assert not any(value in rotated.accident.output for value in _NEW.values())


def test_a_rotation_replaces_what_holds_the_secret_guarded_or_not(rotated: Rotated) -> None:
    assert rotated.rotation.code == 0, rotated.rotation.output
    operations = rotated.rotation.operations
    made = {each.name for each in operations if each.action == "create-replacement"}
    gone = {each.name for each in operations if each.action == "delete-replaced"}
    assert made >= _HOLD
    assert gone >= _HOLD
    assert not [each for each in operations if each.action == "delete" and "kubernetes:" in each.type]


def test_a_rotation_is_done_with_one_update(rotated: Rotated) -> None:
    assert rotated.afterwards.code == 0, rotated.afterwards.output
