"""Secrets of a running stack: each is exchanged in steps that are known, or not at all; and no other way goes unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model import rotation
from model.deployed import Deployed
from model.findings import Finding
from model.identity.snapshot import snapshot
from model.ledger import Entry
from model.rotation import ROTATIONS
from model.secrets import NAMES, secrets
from model.settings import Settings
from model.step import judge, judge_each
from tests.model.files import raw, refused, settings

pytestmark = pytest.mark.security

MADE = sorted(key for key, how in ROTATIONS.items() if how.kind == "made")
GIVEN = sorted(key for key, how in ROTATIONS.items() if how.kind == "given")
NEVER = sorted(key for key, how in ROTATIONS.items() if how.kind == "never")
STAGED = sorted(key for key, how in ROTATIONS.items() if how.kind == "staged")


def values(stack: Settings, **changed: str) -> dict[str, str]:
    return {secret.key: f"value of {secret.key}" for secret in secrets(stack)} | changed


def marks(stack: Settings, **changed: str) -> dict[str, str]:
    return rotation.fingerprints(stack, values(stack, **changed).get)


def stack(**more: Any) -> Settings:
    return settings("cluster", more)


def entry(of: Settings, **changed: str) -> Deployed:
    """What an update of this stack leaves in the ledger."""
    return Entry.of(of, (), secrets=marks(of, **changed)).model


def deployed(before: Settings) -> Deployed:
    """The stack as the engine hands it back."""
    found = Deployed.read(json.loads(json.dumps(entry(before).exported())))
    assert found is not None
    return found


def found(before: Settings, after: Settings, **changed: str) -> list[Finding]:
    """What is said of secrets when these values change."""
    every = judge(deployed(before), after, secrets=marks(after, **changed)).findings
    return [each for each in every if each.rule.startswith("secret-")]


def needed(kinds: list[str]) -> list[str]:
    return [key for key in kinds if key in values(stack())]


def test_every_secret_says_what_its_change_does() -> None:
    assert set(ROTATIONS) == NAMES
    for key, how in ROTATIONS.items():
        assert len(how.words) > 20, key


def test_what_changes_nothing_is_not_spoken_of() -> None:
    assert found(stack(), stack()) == []


@pytest.mark.parametrize("key", needed(MADE))
def test_another_value_without_a_rotation_is_refused_with_the_way(key: str) -> None:
    (only,) = found(stack(), stack(), **{key: "another"})
    assert (only.rule, only.path, only.severity) == ("secret-change", f"kolab:{key}", "error")
    assert f"./kolab secrets rotate {key}" in only.fix
    assert ROTATIONS[key].words in only.problem


@pytest.mark.parametrize("key", needed(MADE))
def test_a_rotation_may_change_the_value(key: str) -> None:
    assert found(stack(), stack(rotations={key: 1}), **{key: "another"}) == []


@pytest.mark.parametrize("key", needed(MADE))
def test_one_rotation_is_one_change(key: str) -> None:
    rotated = stack(rotations={key: 1})
    assert [each.rule for each in found(rotated, rotated, **{key: "another"})] == ["secret-change"]
    assert found(rotated, stack(rotations={key: 2}), **{key: "another"}) == []


def test_a_rotation_is_taken_back_with_its_number() -> None:
    assert found(stack(rotations={"redisPassword": 1}), stack(), redisPassword="another") == []


@pytest.mark.rotates(*needed(NEVER))
@pytest.mark.parametrize("key", needed(NEVER))
def test_what_is_never_rotated_is_refused_with_the_reason(key: str) -> None:
    (only,) = found(stack(), stack(), **{key: "another"})
    assert (only.rule, only.severity) == ("secret-change", "error")
    assert ROTATIONS[key].words in only.problem


@pytest.mark.parametrize("key", [*NEVER, *STAGED, "dkimKey-k202611", "nonsense"])
def test_what_is_no_rotation_is_not_counted(key: str) -> None:
    where = {each.path for each in refused(raw("cluster", {"rotations": {key: 1}}))}
    assert where == {f"kolab:rotations.{key}"}


@pytest.mark.parametrize("number", [0, -1, 1.5, "x", None, 10**6])
def test_rotations_are_counted_from_one(number: Any) -> None:
    where = {each.path for each in refused(raw("cluster", {"rotations": {"redisPassword": number}}))}
    assert where == {"kolab:rotations.redisPassword"}


@pytest.mark.parametrize("key", needed(GIVEN))
def test_what_others_give_changes_with_a_word(key: str) -> None:
    (only,) = found(stack(), stack(), **{key: "another"})
    assert (only.rule, only.severity) == ("secret-change", "warning")


@pytest.mark.parametrize("key", needed(STAGED))
def test_what_has_stages_is_judged_by_them(key: str) -> None:
    assert found(stack(), stack(), **{key: "another"}) == []


def test_another_salt_is_one_finding_though_every_fingerprint_changes() -> None:
    assert [each.path for each in found(stack(), stack(), contentSalt="another")] == ["kolab:contentSalt"]


def test_an_acknowledgement_lifts_it_where_nothing_was_stored_yet() -> None:
    meant = {"rule": "secret-change", "subject": "kolab:appKey", "reason": "no user was there yet"}
    assert found(stack(), stack(acknowledge=[meant]), appKey="another") == []


def test_a_stack_of_an_earlier_release_is_deployed_once_before_it_rotates() -> None:
    old = snapshot(stack())
    assert old.secrets == {}
    after = stack(rotations={"redisPassword": 1})
    rules = [each.rule for each in judge(old, after, secrets=marks(after)).findings]
    assert "secret-rotation-early" in rules
    assert not judge(old, stack(), secrets=marks(stack(), redisPassword="another")).refused


def test_a_stack_of_records_alone_counts_the_rotation_of_its_token_though_it_has_no_salt() -> None:
    records = {"scope": "dns", "dns/shard": {"index": 0, "count": 1}}
    after = stack(rotations={"cloudflareApiToken": 1}, **records)
    assert found(stack(**records), after, cloudflareApiToken="another") == []


def test_without_the_values_no_secret_is_compared() -> None:
    assert not judge(deployed(stack()), stack()).refused


def test_a_rotation_whose_update_failed_goes_on_from_either_value() -> None:
    after = stack(rotations={"redisPassword": 1})
    either = [deployed(stack()), entry(after, redisPassword="another")]
    for value in ("another", "a third"):
        judged = judge_each(either, after, secrets=marks(after, redisPassword=value))
        # The second update may have brought the value; a third one under the same number is an accident.
        assert judged.refused is (value == "a third")


def test_fingerprints_give_no_value_away() -> None:
    weak = values(stack(), redisPassword="a")
    text = json.dumps(entry(stack(), redisPassword="a").exported())
    assert not any(value in text for key, value in weak.items() if key != "redisPassword")
    # Whoever has no salt cannot try values: the same one looks different in another stack, and under another key.
    other = rotation.fingerprints(stack(), values(stack(), contentSalt="other").get)
    assert other["redisPassword"] != marks(stack())["redisPassword"]
    same = marks(stack(), redisPassword="same", desKey="same")
    assert same["redisPassword"] != same["desKey"]


@pytest.mark.parametrize("key", ["databasePassword", "roundcubeDatabasePassword", "redisPassword"])
def test_the_password_of_somebody_elses_server_is_theirs_to_give(key: str) -> None:
    outside = {
        "database": {"host": "db.example.net", "cidr": "198.51.100.32/32"},
        "redis": {"host": "redis.example.net", "cidr": "198.51.100.33/32"},
    }
    assert rotation.of(key, stack(external=outside)).kind == "given"
    assert rotation.of(key, stack()).kind == "made"
