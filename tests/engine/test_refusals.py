"""A stack file that is wrong is refused in one message, before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import Deployed
from tests.engine.program import Program, Run
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


@pytest.mark.parametrize("fault", _WRONG)
def test_a_wrong_stack_file_is_refused_with_each_key_in_one_message(program: Program, fault: str) -> None:
    changes, words = _WRONG[fault]
    program.change(changes)
    _is_one_refusal(program.preview(), words)


def test_a_secret_inside_an_object_is_refused_without_being_shown(program: Program) -> None:
    program.must(
        "config", "set", "--secret", "--path", "kolab:mail.postmaster", "Hidden012345", "--stack", "local"
    )
    found = program.preview()
    _is_one_refusal(found, ("kolab:mail", "secure:"))
    assert "Hidden012345" not in found.output


def test_an_unacknowledged_move_of_an_address_is_refused_in_the_preview(program: Program) -> None:
    program.change({"network.addresses.all": "192.0.2.20"})
    found = program.preview()
    assert found.code != 0
    assert "Traceback" not in found.output
    assert [error for error in found.errors if "[address-moved]" in error]


def test_nothing_is_registered_for_a_new_stack_that_lacks_its_secrets(
    local: Deployed, program: Program
) -> None:
    config = {key: value for key, value in program.config().items() if not _is_secret(value)}
    program.write(config)
    _is_one_refusal(program.preview(), ("python -m ops secrets",))


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and "secure" in value


def _is_one_refusal(run: Run, words: tuple[str, ...]) -> None:
    assert run.code != 0
    (message,) = [error for error in run.errors if not error.startswith("preview failed")]
    for word in words:
        assert word in message
    assert "Traceback" not in run.output
    started = {
        event["resourcePreEvent"]["metadata"]["type"] for event in run.events if "resourcePreEvent" in event
    }
    assert started <= {"pulumi:pulumi:Stack"}
