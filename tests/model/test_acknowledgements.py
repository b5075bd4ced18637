"""Exceptions name a rule that exists and a subject that is one, and end when they have served."""

from __future__ import annotations

from typing import Any

import pytest

from model.deployed import Deployed
from model.ledger import Entry
from model.rules import acknowledgements, check
from model.settings import Settings
from model.step import judge
from model.transition import snapshot
from tests.identity.stacks import stack
from tests.model.files import places, raw, refused, settings

pytestmark = pytest.mark.security
REASON = "agreed with the owner"


def entry(rule: str, subject: str = "*", reason: str = REASON) -> dict[str, str]:
    return {"rule": rule, "subject": subject, "reason": reason}


def acknowledged(*entries: dict[str, str]) -> set[tuple[str, str]]:
    return places(refused(raw("cluster", {"acknowledge": list(entries)})))


def test_an_unknown_rule_brings_up_the_near_one() -> None:
    (found,) = refused(raw("cluster", {"acknowledge": [entry("adress-private")]}))
    assert (found.rule, found.fix) == ("acknowledge-unknown", "did you mean address-private?")


@pytest.mark.parametrize("rule", ["unknown-key", "address-missing", "secret-value", "network-broad"])
def test_a_rule_without_exceptions_has_none(rule: str) -> None:
    assert acknowledged(entry(rule)) == {("acknowledge-firm", "kolab:acknowledge[0].rule")}


def test_data_is_given_up_by_name() -> None:
    assert acknowledged(entry("data-delete")) == {("acknowledge-everything", "kolab:acknowledge[0].subject")}


@pytest.mark.parametrize("subject", ["", "a b", "x\ny", "-x", "kolab:x'"])
def test_a_subject_is_a_key_or_a_resource(subject: str) -> None:
    assert acknowledged(entry("mx-lost", subject)) == {("value", "kolab:acknowledge[0].subject")}


def test_an_entry_that_hides_nothing_is_said_to_be_done() -> None:
    found = check(settings("real", {"acknowledge": [entry("storage-unprotected")]}))
    assert [(each.rule, each.severity) for each in found if "acknowledge" in each.rule] == [
        ("acknowledge-served", "warning")
    ]


def test_an_entry_that_hides_a_warning_is_not() -> None:
    found = check(settings("real", {"storage/protect": False, "acknowledge": [entry("storage-unprotected")]}))
    assert not any("acknowledge" in each.rule for each in found)


@pytest.mark.parametrize("subject", ["*", "kolab:images"])
def test_images_without_a_digest_may_be_meant(subject: str) -> None:
    unpinned = settings("real", {"images": None, "acknowledge": [entry("image-latest", subject)]})
    assert not any(each.rule in ("image-latest", "acknowledge-served") for each in check(unpinned))


def test_images_without_a_digest_are_named_with_the_way_to_pin_them() -> None:
    (found,) = refused(raw("real", {"images/digests/versitygw": None, "images/digests/imap": None}))
    assert (found.rule, found.fix) == ("image-latest", "pin them with ./kolab images pin, or acknowledge it")
    assert found.problem.startswith("names no digest of versitygw, imap: ")


MOVED: dict[str, Any] = {"hosts": {"mx": "mx1.example.org"}}
AGAIN: dict[str, Any] = {"hosts": {"mx": "mx2.example.org"}}


def rules(before: Any, after: Any) -> list[str]:
    found = judge(snapshot(before), after).findings
    return [
        each.rule for each in found if each.rule in ("mx-moved", "acknowledge-spent", "acknowledge-served")
    ]


def test_an_entry_lifts_the_change_that_it_came_with() -> None:
    assert rules(stack(), stack(**MOVED, acknowledge=[entry("mx-moved", "kolab:hosts.mx")])) == []


def test_after_the_change_the_entry_is_said_to_be_done() -> None:
    done = stack(**MOVED, acknowledge=[entry("mx-moved")])
    assert rules(done, done) == ["acknowledge-served"]


@pytest.mark.parametrize("subject", ["*", "kolab:hosts.mx"])
def test_an_entry_does_not_lift_the_next_change(subject: str) -> None:
    done = stack(**MOVED, acknowledge=[entry("mx-moved", subject)])
    assert rules(done, stack(**AGAIN, acknowledge=[entry("mx-moved", subject)])) == [
        "mx-moved",
        "acknowledge-spent",
    ]


def test_a_new_reason_lifts_the_next_change() -> None:
    done = stack(**MOVED, acknowledge=[entry("mx-moved")])
    assert (
        rules(done, stack(**AGAIN, acknowledge=[entry("mx-moved", reason="moves once more, agreed")])) == []
    )


FILES = "versitygw-data"
GIVEN_UP = entry("data-delete", FILES)


def served(
    after: Settings, before: Deployed | None, *there: str
) -> tuple[tuple[acknowledgements.Key, ...], Deployed]:
    """Entries that have served at an update of a stack that has these objects, and the model that it leaves."""
    possible = (before,) if before else ()
    ended = acknowledgements.of_gone(after, possible, lambda subject: subject not in there)
    return ended, Entry.of(after, possible, ended=ended).model


def test_an_entry_lets_data_go_as_long_as_they_are_there() -> None:
    after = stack(acknowledge=[GIVEN_UP])
    ended, model = served(after, None, FILES)
    assert ended == ()
    assert acknowledgements.without(after, ended).acknowledged("data-delete", FILES)
    assert model.acknowledged == ()


def test_an_entry_ends_with_the_data_that_it_let_go_and_is_said_to_be_done() -> None:
    after = stack(acknowledge=[GIVEN_UP])
    ended, _ = served(after, served(after, None, FILES)[1])
    (said,) = acknowledgements.ended(after, ended)
    assert (said.rule, said.path, said.severity) == (
        "acknowledge-served",
        "kolab:acknowledge[0]",
        "warning",
    )
    assert not acknowledgements.without(after, ended).acknowledged("data-delete", FILES)


def test_what_is_made_anew_is_guarded_again_until_a_new_reason_is_written() -> None:
    after = stack(acknowledge=[GIVEN_UP])
    _, gone = served(after, None)
    for _ in range(3):
        ended, gone = served(after, gone, FILES)
        assert not acknowledgements.without(after, ended).acknowledged("data-delete", FILES)
    anew = stack(acknowledge=[entry("data-delete", FILES, reason="files move once more")])
    ended, _ = served(anew, gone, FILES)
    assert acknowledgements.without(anew, ended).acknowledged("data-delete", FILES)
