"""Safe steps pass and touch the records that they are about; every shortcut is refused in the preview, by rule id."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.engine.identity.conftest import Published, records_of, refusals
from tests.identity import keys

_TODAY = datetime.date.today().isoformat()
_KEYS = "mail.dkim.selectors"

_SHORTCUTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a key that signs without having been published": (
        {
            f"{_KEYS}.k202605.stage": "retired",
            f"{_KEYS}.k202705": {"stage": "active", "since": _TODAY, "publicKey": keys.public("k202705")},
        },
        {"dkim-stage-skipped"},
    ),
    "a published key that is taken back": (
        {f"{_KEYS}.k202605": None, f"{_KEYS}.k202611.stage": "active"},
        {"dkim-stage-skipped"},
    ),
    "a retired key that is revoked too early": (
        {
            f"{_KEYS}.k202602": {
                "stage": "revoked",
                "since": "2026-11-25",
                "publicKey": keys.public("k202602"),
            }
        },
        {"dkim-retired-early"},
    ),
    "a policy that ends without having been removed": (
        {"mail.mtaSts": {"stage": "none"}},
        {"mta-sts-stage-skipped"},
    ),
    "a lost MX": (
        {"mail.mx.stage": "hold", "mail.mtaSts": {"stage": "none"}},
        {"mx-lost", "mta-sts-stage-skipped"},
    ),
    "a lost domain": ({"hostedDomains": ["example.net"]}, {"domain-lost", "mta-sts-domain-left"}),
    "an address that moves": ({"network.public.10\\.20\\.0\\.11": "192.0.2.99"}, {"address-moved"}),
    "a source address that nobody knows": (
        {"network.egress.nodes.worker3": ["198.51.100.13"]},
        {"egress-unannounced"},
    ),
    "a port 25 key that nobody announced": (
        {"tlsa": {"current": "c" * 64, "next": "d" * 64}},
        {"tlsa-not-announced", "tlsa-old-dropped"},
    ),
}


@pytest.mark.parametrize("shortcut", _SHORTCUTS)
def test_a_shortcut_is_refused_before_anything_is_registered(shortcut: str, records_alone: Published) -> None:
    changes, rules = _SHORTCUTS[shortcut]
    _change(records_alone, changes)
    assert refusals(records_alone.preview()) == rules


def test_a_refusal_prints_the_way_that_is_safe(records_alone: Published) -> None:
    _change(records_alone, _SHORTCUTS["a source address that nobody knows"][0])
    (said,) = [error for error in records_alone.preview().errors if "[egress-unannounced]" in error]
    assert "for 3600 seconds" in said
    assert "2. Wait 3600 seconds" in said


def test_another_mx_host_in_the_step_that_enforces_is_refused_by_the_engine(records_alone: Published) -> None:
    loosened = records_alone.step({"mail.mtaSts": {"stage": "testing"}})
    assert {action for action, _ in records_of(loosened)} == {"update"}
    known = [{"rule": "mx-moved", "reason": "all owners of foreign domains know"}]
    records_alone.change(
        {"mail.mtaSts": {"stage": "enforce"}, "hosts.mx": "mx2.example.org", "acknowledge": known}
    )
    assert refusals(records_alone.preview()) == {"mta-sts-mx-together", "mta-sts-mx-held"}


def test_up_without_a_preview_is_refused_before_anything_is_changed(records_alone: Published) -> None:
    before = records_alone.records()
    _change(records_alone, _SHORTCUTS["an address that moves"][0])
    assert refusals(records_alone.up()) == {"address-moved"}
    assert records_alone.records() == before


def test_an_acknowledged_move_changes_the_address_of_that_name_alone(records_alone: Published) -> None:
    _change(records_alone, _SHORTCUTS["an address that moves"][0])
    accepted = [{"rule": "address-moved", "reason": "the old address forwards for a day"}]
    records_alone.change({"acknowledge": accepted})
    announced = records_alone.preview()
    assert announced.code == 0, announced.output
    done = records_alone.up()
    assert done.code == 0, done.output
    operations = records_of(announced)
    assert {(action, name.rpartition("-")[0]) for action, name in operations} == {
        ("create", "a-mx.example.org"),
        ("delete", "a-mx.example.org"),
    }
    assert records_of(done) == operations
    addresses = {
        content for name, kind, content in records_alone.records() if name == "mx.example.org" and kind == "A"
    }
    assert addresses == {"192.0.2.99"}


def test_the_new_address_stands_before_the_old_one_goes(records_alone: Published) -> None:
    _change(records_alone, _SHORTCUTS["an address that moves"][0])
    records_alone.change({"acknowledge": [{"rule": "address-moved", "reason": "it forwards for a day"}]})
    done = records_alone.up()
    assert [each.action for each in done.operations if each.name.startswith("dns-a-")] == ["create", "delete"]


def test_another_preference_updates_the_guarded_mx_in_place(records_alone: Published) -> None:
    records_alone.change({"mail.mx.preference": 20})
    found = records_alone.preview()
    assert found.code == 0, found.output
    assert records_of(found) == {("update", "mx-example.org"), ("update", "mx-example.net")}


def _change(program: Published, changes: dict[str, Any]) -> None:
    """Like Program.change, for keys that hold dots: \\. in a path is one."""
    config = program.config()
    for path, value in changes.items():
        *above, last = (key.replace("\0", ".") for key in f"kolab:{path}".replace("\\.", "\0").split("."))
        node = config
        for key in above:
            node = node.setdefault(key, {})
        if value is None:
            node.pop(last)
        else:
            node[last] = value
    program.write(config)
