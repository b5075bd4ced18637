"""What a change means for the world, from two stack files."""

from __future__ import annotations

from typing import Any

import pytest

from model import identity
from model.deployed import CachedPolicy
from model.identity.snapshot import snapshot
from model.review import Review, review
from model.settings import Settings
from tests.support.stacks import changed, raw, stack


def reviewed(changes: dict[str, Any], name: str = "cluster") -> Review:
    return review("mine", stack(name), changed(name, changes), [])


def selectors(name: str, **changes: dict[str, str]) -> dict[str, Any]:
    """All selectors of a stack, some of them changed."""
    keys = raw(name)["mail"]["dkim"]["selectors"]
    return {"dkim": {"selectors": {key: value | changes.get(key, {}) for key, value in keys.items()}}}


def texts(found: Review, title: str) -> list[str]:
    """Sentences under a heading."""
    return [item.text for section in found.sections if section.title == title for item in section.items]


def lines(found: Review, title: str) -> list[str]:
    """Details under a heading."""
    return [
        line
        for section in found.sections
        if section.title == title
        for i in section.items
        for line in i.detail
    ]


def test_nothing_changes_between_equal_files() -> None:
    assert reviewed({}).sections == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"hostedDomains": ["example.net", "example.com", "third.example"]},
        {"mail": {"mx": {"stage": "hold"}}},
        {"mail": {"dmarc": {"policy": "reject"}}},
        {"dns": {"ttl": 300}},
        {"hosts": {"imap": "imap4.example.org"}},
        {"features": {"meet": False}},
    ],
    ids=str,
)
def test_the_records_are_exactly_the_difference_of_the_two_models(changes: dict[str, Any]) -> None:
    before, after = stack("cluster"), changed("cluster", changes)
    shown = {line.partition("  # ")[0] for line in lines(review("mine", before, after, []), "Records")}
    assert shown == {f"- {r}" for r in _rows(before) - _rows(after)} | {
        f"+ {r}" for r in _rows(after) - _rows(before)
    }


def _rows(settings: Settings) -> set[str]:
    return {f"{r.name} {r.ttl} {r.type} {r.content}" for r in identity.records(settings)}


def test_an_address_that_moves_says_for_how_long_it_is_felt() -> None:
    (text,) = texts(reviewed({"network": {"public": {"10.20.0.11": "198.51.100.99"}}}), "Addresses")
    assert text.startswith("smtp: ")
    assert "For up to 1 hour (TTL)" in text


def test_a_retired_key_names_the_first_safe_day() -> None:
    retired, active = ({"stage": stage, "since": "2026-11-20"} for stage in ("retired", "active"))
    changes = {"mail": selectors("cluster", k202605=retired, k202611=active)}
    assert texts(reviewed(changes), "Stages") == [
        "DKIM key k202605: active -> retired. Next: ./kolab dkim revoke k202605, not before 2026-12-01",
        "DKIM key k202611: published -> active. It signs from now on",
    ]


def test_a_published_key_names_the_first_day_on_which_it_may_sign() -> None:
    before = changed("cluster", {"mail": selectors("cluster", k202611={"stage": "staged"})})
    after = changed("cluster", {"mail": selectors("cluster", k202611={"since": "2026-11-20"})})
    (text,) = texts(review("mine", before, after, []), "Stages")
    assert text.endswith("staged -> published. Next: ./kolab dkim activate k202611, not before 2026-11-22")


def test_a_policy_that_is_removed_waits_for_what_the_ledger_remembers() -> None:
    policy = {"stage": "removing", "since": "2026-11-20", "maxAge": 604800}
    after = changed("cluster", {"mail": {"mtaSts": policy}})
    held = CachedPolicy(hosts=("mx.example.org",), max_age=31_536_000, ended="2026-11-19")
    told = snapshot(stack("cluster"))
    told = told.model_copy(update={"mta_sts": told.mta_sts.model_copy(update={"cached": (held,)})})
    (text,) = texts(review("mine", stack("cluster"), after, [], deployed=[told]), "Stages")
    assert text.endswith("Next: none, not before 2027-11-20")


def test_an_announced_key_of_port_25_says_how_long_to_wait_before_the_switch() -> None:
    keys = {"tlsa": {"current": "a" * 64, "next": "b" * 64}}
    before = changed("cluster", {"tlsa": {"current": "a" * 64, "next": None}})
    (text,) = texts(review("mine", before, changed("cluster", keys), []), "Stages")
    assert text.endswith("announced. Next: ./kolab tlsa switch, not before 2 hours after this update")


def test_going_live_says_that_mail_stays_here() -> None:
    keys = selectors("single-node", k202611={"stage": "active"})
    found = reviewed({"mail": {"mx": {"stage": "live"}, **keys}}, "single-node")
    assert any(
        "the world starts to send mail for example.org here" in text for text in texts(found, "Stages")
    )
    assert any("mail that arrives here meanwhile stays here" in text for text in texts(found, "Going back"))


def test_a_first_deployment_on_hold_is_safe() -> None:
    found = review("mine", None, stack("single-node"), [])
    assert found.level == "safe"
    assert texts(found, "First deployment") == [
        "nothing runs yet; one node and one address. The world sends no mail here yet: every domain is on hold."
    ]


def test_a_sentence_that_refuses_decides_the_verdict() -> None:
    found = review("mine", stack("cluster"), stack("cluster"), [], refusals=["no [data-delete]"])
    assert (found.level, texts(found, "Going back")) == ("blocked", [])


def test_a_secret_that_changes_is_named_and_not_shown() -> None:
    found = review("mine", stack("cluster"), stack("cluster"), [], secrets=["redisPassword"])
    assert texts(found, "Secrets") == [
        "kolab:redisPassword is encrypted anew without a rotation: the update is refused if it is another value"
    ]


def test_the_picture_marks_what_moves_and_nothing_else() -> None:
    picture = reviewed({"network": {"public": {"10.20.0.11": "198.51.100.99"}}}).picture
    assert picture is not None
    assert picture.changed == {"smtp"}
