"""A stack file that is wrong is refused in one message, before anything is registered."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.engine.conftest import Deployed
from tests.engine.program import Program, Run, at_once
from tests.engine.settings_table import Changes
from tests.identity import keys

_CLUSTER: Changes = {
    "mode": "cluster",
    "network.egress": {
        "mode": "nodes",
        "nodes": {"worker1": ["198.51.100.1"], "worker2": ["198.51.100.2"]},
    },
}
_ADDRESSES = {
    "proxy": "192.0.2.10",
    "smtp": "192.0.2.11",
    "turn": "192.0.2.12",
    "sieve": "192.0.2.13",
    "meet": "192.0.2.14",
}
_WRONG: dict[str, tuple[Changes, tuple[str, ...]]] = {
    "a misspelt mode": ({"mode": "custer"}, ("kolab:mode",)),
    "a missing address": (
        _CLUSTER | {"network.addresses": {k: v for k, v in _ADDRESSES.items() if k != "smtp"}},
        ("kolab:network.addresses.smtp",),
    ),
    "one address for two daemons": (
        _CLUSTER | {"network.addresses": _ADDRESSES | {"turn": "192.0.2.10"}},
        ("kolab:network.addresses.turn", "192.0.2.10"),
    ),
    "a public half of another key": (
        {"mail.dkim.selectors.k202611.publicKey": keys.public("somebody else's")},
        ("kolab:mail.dkim.selectors.k202611.publicKey", "kolab:dkimKey-k202611"),
    ),
    "two faults at once": ({"mode": "custer", "dns.ttl": 1}, ("kolab:mode", "kolab:dns.ttl")),
}


_HIDDEN = "Hidden0123456789"


@pytest.fixture(scope="module")
def previews(local: Deployed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Previews of wrong stack files, by what is wrong with them."""

    def copy() -> Program:
        return local.program.copy(tmp_path_factory.mktemp("refused") / "program")

    def changed(changes: Changes) -> Run:
        program = copy()
        program.change(changes)
        return program.preview()

    def secret_inside() -> Run:
        program = copy()
        program.must(
            "config", "set", "--secret", "--path", "kolab:mail.postmaster", _HIDDEN, "--stack", "local"
        )
        return program.preview()

    def without_secrets() -> Run:
        program = copy()
        program.write({key: value for key, value in program.config().items() if not _is_secret(value)})
        return program.preview()

    faults = {fault: lambda changes=changes: changed(changes) for fault, (changes, _) in _WRONG.items()}
    return at_once(
        {
            **faults,
            "a secret inside": secret_inside,
            "no secrets": without_secrets,
            "a move": lambda: changed({"network.addresses.all": "192.0.2.20"}),
        }
    )


@pytest.mark.parametrize("fault", _WRONG)
def test_a_wrong_stack_file_is_refused_with_each_key_in_one_message(
    previews: dict[str, Run], fault: str
) -> None:
    _is_one_refusal(previews[fault], _WRONG[fault][1])


def test_a_secret_inside_an_object_is_refused_without_being_shown(previews: dict[str, Run]) -> None:
    _is_one_refusal(previews["a secret inside"], ("kolab:mail", "secure:"))
    assert _HIDDEN not in previews["a secret inside"].output


def test_a_stack_without_its_secrets_is_told_how_to_get_them(previews: dict[str, Run]) -> None:
    _is_one_refusal(previews["no secrets"], ("./kolab secrets",))


def test_an_unacknowledged_move_of_an_address_is_refused_like_that(previews: dict[str, Run]) -> None:
    _is_one_refusal(previews["a move"], ("kolab:network.addresses.all", "[address-moved]"))


def test_a_step_that_was_refused_is_refused_again(program: Program) -> None:
    program.change({"network.addresses.all": "192.0.2.20"})
    assert [program.up().code != 0 for _ in range(2)] == [True, True]


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and "secure" in value


def _is_one_refusal(run: Run, words: tuple[str, ...]) -> None:
    assert run.code != 0
    (message,) = [error for error in run.errors if not error.startswith("preview failed")]
    for word in words:
        assert word in message
    assert not re.search("Traceback|KeyboardInterrupt|exit code", run.output)
    started = {
        event["resourcePreEvent"]["metadata"]["type"] for event in run.events if "resourcePreEvent" in event
    }
    # The engine's own: the stack, and what answers the question what is deployed.
    assert started <= {"pulumi:pulumi:Stack", "pulumi:providers:pulumi"}
