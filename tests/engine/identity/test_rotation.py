"""A DKIM key from its making to its end, step by step through `ops dkim`, review and the engine."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import pytest

from model.identity.dkim import RETIRED_DAYS
from tests.engine.identity.conftest import Opened, Published, records_of
from tests.engine.program import Run

OLD, NEW = "k202605", "k202705"
_DOMAINS = ("example.org", "example.net")
_STEPS = ("stage", "publish", "activate", "revoke", "remove")


@dataclass(frozen=True)
class Step:
    """One step: what its preview announced, what was done, and what the world finds afterwards."""

    announced: Run
    done: Run
    keys: dict[str, str]


def records(action: str, *selectors: str) -> set[tuple[str, str]]:
    return {(action, f"txt-{s}._domainkey.{d}-v-DKIM1") for s in selectors for d in _DOMAINS}


@pytest.fixture(scope="module")
def rotation(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    """All steps of one rotation."""
    program = opened.program.copy(tmp_path_factory.mktemp("rotation") / "program")
    found = {}
    for step in _STEPS:
        if step == "activate":
            _activate(program)
        else:
            program.ops("dkim", step, OLD if step in ("revoke", "remove") else NEW, "--stack", program.stack)
        announced, done = program.preview(), program.up()
        assert (announced.code, done.code) == (0, 0), announced.output + done.output
        keys = {
            name: text for name, kind, text in program.records() if "._domainkey." in name and kind == "TXT"
        }
        found[step] = Step(announced, done, keys)
    return found


def _activate(program: Published) -> None:
    """As `ops dkim activate` writes it, which asks name servers of the world; eleven days ago, so that all may end today."""
    since = (datetime.date.today() - datetime.timedelta(days=RETIRED_DAYS)).isoformat()
    program.change(
        {
            f"mail.dkim.selectors.{NEW}.stage": "active",
            f"mail.dkim.selectors.{OLD}.stage": "retired",
            f"mail.dkim.selectors.{OLD}.since": since,
        }
    )


_MEANT = {
    "stage": set[tuple[str, str]](),
    "publish": records("create", NEW),
    # Nothing changes in DNS: the comments at the provider say which key signs.
    "activate": records("update", NEW, OLD),
    "revoke": records("update", OLD),
    "remove": records("delete", OLD),
}


@pytest.mark.parametrize("step", _STEPS)
def test_each_step_touches_the_records_of_its_keys_alone(step: str, rotation: dict[str, Step]) -> None:
    assert records_of(rotation[step].announced) == _MEANT[step]
    assert records_of(rotation[step].done) == _MEANT[step]


def test_activation_changes_no_key_that_receivers_find(rotation: dict[str, Step]) -> None:
    assert rotation["activate"].keys == rotation["publish"].keys


def test_activation_hands_the_new_key_to_the_pods_that_sign(rotation: dict[str, Step]) -> None:
    changed = {each.name for each in rotation["activate"].done.operations if each.kind == "StatefulSet"}
    assert "postfix-pods" in changed


def test_a_revoked_key_is_empty_and_then_gone(rotation: dict[str, Step]) -> None:
    name = f"{OLD}._domainkey.example.org"
    assert rotation["revoke"].keys[name] == '"v=DKIM1; k=rsa; h=sha256; p="'
    assert name not in rotation["remove"].keys


def test_the_private_half_goes_with_the_key_and_no_sooner(rotation: dict[str, Step]) -> None:
    deleted = {step: rotation[step].done.done(f"postfix-dkim-{OLD}") for step in _STEPS}
    assert {step for step, actions in deleted.items() if "delete" in actions} == {"remove"}
