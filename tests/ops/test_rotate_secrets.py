"""`ops secrets rotate`: a new value and its count, or a sentence that says why not; nothing is half done."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pytest

from model.deployed import Deployed
from model.identity.snapshot import snapshot
from model.keys import public_pem
from model.rotation import ROTATIONS, fingerprints
from model.secrets import secrets
from model.settings import Settings
from ops.rotate import rotate
from ops.stacks import StackFile, StackProblem
from tests.engine.sentinels import sentinel
from tests.model.files import raw
from tests.ops.fakes import FakePulumi, stack_file

pytestmark = pytest.mark.security
TOKEN = "t" * 40


@dataclass
class Backend(FakePulumi):
    """A CLI whose stack was deployed."""

    last: tuple[Deployed, ...] = ()

    def deployed(self) -> tuple[Deployed, ...]:
        return self.last


present = functools.cache(sentinel)
"""The value of a secret before anything is rotated: the same one each time, for RSA keys take a while to make."""


def given(changes: dict[str, Any] | None = None, *, deployed: bool = True) -> tuple[StackFile, Backend]:
    values = raw("real", changes)
    settings = Settings.model_validate(values)
    backend = Backend(stored={secret.key: present(secret) for secret in secrets(settings)})
    if deployed:
        marks = fingerprints(settings, backend.stored.get)
        backend.last = (snapshot(settings).model_copy(update={"secrets": marks}),)
    return stack_file(values, backend), backend


def run(stack: StackFile, backend: Backend, key: str | None, **brought: str) -> str:
    # The fake stands where the CLI is.
    return rotate(stack, backend, key, brought)  # type: ignore[arg-type]


QUICK = sorted(k for k, how in ROTATIONS.items() if how.kind == "made" and k != "passportPrivateKey")


@pytest.mark.parametrize("key", QUICK)
def test_a_secret_gets_another_value_of_its_form_and_the_rotation_is_counted(key: str) -> None:
    stack, backend = given()
    if key not in backend.stored:
        pytest.skip("not a secret of this stack")
    before = backend.stored[key]
    said = run(stack, backend, key)
    assert backend.stored[key] != before
    assert backend.calls == [("plain", f"rotations.{key}"), ("secret", key)]
    assert backend.public[f"rotations.{key}"] == "1"
    assert ROTATIONS[key].words in said
    assert "./kolab pulumi up --stack x" in said
    assert backend.stored[key] not in said


@pytest.mark.parametrize("key", ["redisPassword", "kolab:redisPassword"])
def test_a_key_may_be_written_with_its_prefix(key: str) -> None:
    stack, backend = given()
    run(stack, backend, key)
    assert backend.public == {"rotations.redisPassword": "1"}


def test_a_run_that_was_cut_short_is_run_again_under_the_same_number() -> None:
    stack, backend = given()
    run(stack, backend, "redisPassword")
    again = stack_file(raw("real", {"rotations": {"redisPassword": 1}}), backend)
    run(again, backend, "redisPassword")
    assert backend.public["rotations.redisPassword"] == "1"


def test_the_next_rotation_has_the_next_number() -> None:
    stack, backend = given({"rotations": {"redisPassword": 4}})
    run(stack, backend, "redisPassword")
    assert backend.public["rotations.redisPassword"] == "5"


def test_both_halves_of_a_pair_change_together(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, backend = given()
    new = sentinel(next(s for s in secrets(Settings.model_validate(raw("real"))) if s.key.startswith("dkim")))
    monkeypatch.setattr("ops.rotate.make", lambda _: new)
    run(stack, backend, "passportPrivateKey")
    assert backend.stored["passportPrivateKey"] == new
    assert backend.public["passportPublicKey"] == public_pem(new)


@pytest.mark.parametrize("key", [k for k, how in ROTATIONS.items() if how.kind in ("never", "staged")])
def test_what_is_not_rotated_says_why_and_stays(key: str) -> None:
    stack, backend = given()
    if key not in backend.stored:
        pytest.skip("not a secret of this stack")
    with pytest.raises(StackProblem) as refusal:
        run(stack, backend, key)
    assert ROTATIONS[key].words in str(refusal.value)
    assert backend.calls == []


def test_a_dkim_key_is_led_through_its_stages() -> None:
    stack, backend = given()
    key = next(name for name in backend.stored if name.startswith("dkimKey-"))
    with pytest.raises(StackProblem, match=r"\./kolab dkim"):
        run(stack, backend, key)


@pytest.mark.parametrize("key", [None, "", "nonsense", "relayPassword", "a\nb"])
def test_a_stack_names_the_secrets_that_it_can_rotate(key: str | None) -> None:
    stack, backend = given()
    with pytest.raises(StackProblem, match=r"can be rotated: .*redisPassword"):
        run(stack, backend, key)
    assert backend.calls == []


def test_what_others_give_is_asked_for() -> None:
    stack, backend = given()
    with pytest.raises(StackProblem, match="cloudflareApiToken is yours to give"):
        run(stack, backend, "cloudflareApiToken")
    assert backend.calls == []
    run(stack, backend, "cloudflareApiToken", cloudflareApiToken=TOKEN)
    assert backend.stored["cloudflareApiToken"] == TOKEN


@pytest.mark.parametrize(
    ("brought", "said"),
    [
        ({"redisPassword": "short"}, "cannot be used"),
        ({"redisPassword": "", "desKey": "x"}, "needs no desKey"),
        ({"redisPassword": "line\nbreak" * 4}, "cannot be used"),
    ],
)
def test_a_bad_value_is_refused_and_never_shown(brought: dict[str, str], said: str) -> None:
    stack, backend = given()
    with pytest.raises(StackProblem, match=said) as refusal:
        run(stack, backend, "redisPassword", **brought)
    assert not any(value in str(refusal.value) for value in brought.values() if len(value) > 1)
    assert backend.calls == []


def test_the_present_value_is_no_rotation() -> None:
    stack, backend = given()
    with pytest.raises(StackProblem, match="is the present one"):
        run(stack, backend, "redisPassword", redisPassword=backend.stored["redisPassword"])
    assert backend.calls == []


def test_a_stack_of_an_earlier_release_is_deployed_first() -> None:
    stack, backend = given()
    (last,) = backend.last
    backend.last = (last.model_copy(update={"secrets": {}}),)
    with pytest.raises(StackProblem, match="pulumi up --stack x first"):
        run(stack, backend, "redisPassword")
    assert backend.calls == []


def test_a_stack_of_records_alone_exchanges_its_token_though_it_has_no_salt() -> None:
    stack, backend = given({"scope": "dns", "dns/shard": {"index": 0, "count": 1}})
    assert [each.secrets for each in backend.last] == [{}]
    run(stack, backend, "cloudflareApiToken", cloudflareApiToken=TOKEN)
    assert backend.stored == {"cloudflareApiToken": TOKEN}
    assert backend.public == {"rotations.cloudflareApiToken": "1"}


def test_a_stack_that_was_never_deployed_has_nothing_to_wait_for() -> None:
    stack, backend = given(deployed=False)
    run(stack, backend, "redisPassword")
    assert backend.public == {"rotations.redisPassword": "1"}
