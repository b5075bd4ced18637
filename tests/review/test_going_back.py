"""What a review says of the way back: what it costs, and what a mere revert of the commit would meet."""

from __future__ import annotations

from typing import Any

import pytest

from model.identity.snapshot import snapshot
from model.review import Review, review
from model.step import judge
from tests.review.test_changes import one, stateful
from tests.review.test_mail_changes import lines, reviewed, selectors, texts
from tests.support.stacks import changed, stack

DAY = "2026-11-20"
_ACTIVATION = {
    "mail": selectors(
        "cluster", k202605={"stage": "retired", "since": DAY}, k202611={"stage": "active", "since": DAY}
    )
}
_MOVE = {"network": {"public": {"10.20.0.11": "198.51.100.99"}}}


def secret(key: str) -> Review:
    return review("mine", stack("cluster"), stack("cluster"), [], secrets=[key])


@pytest.mark.parametrize(
    "changes",
    [
        _ACTIVATION,
        _MOVE,
        {"hostedDomains": ["example.net", "example.com", "third.example"]},
        {"dns": {"ttl": 300}},
    ],
    ids=["a key that signs", "an address", "a domain", "a TTL"],
)
def test_whatever_would_refuse_a_mere_revert_is_said_before_the_merge(changes: dict[str, Any]) -> None:
    after = changed("cluster", changes)
    refused = {f.rule for f in judge(snapshot(after), stack("cluster")).findings if f.severity == "error"}
    said = " ".join(texts(reviewed(changes), "Going back"))
    assert ("a mere revert is refused" in said) == bool(refused)
    assert all(rule in said for rule in refused)


def test_several_reasons_against_a_revert_are_one_sentence_with_the_reasons_below() -> None:
    found = reviewed(_ACTIVATION)
    assert "a mere revert is refused, for 3 reasons: dkim-since-backwards, dkim-stage-skipped" in texts(
        found, "Going back"
    )
    assert len(lines(found, "Going back")) == 3


def test_a_key_that_was_retired_can_sign_again() -> None:
    assert "until it is revoked, k202605 can sign again: ./kolab dkim activate k202605" in texts(
        reviewed(_ACTIVATION), "Going back"
    )


def test_a_key_that_is_gone_does_not_come_back() -> None:
    keys = stack("cluster").mail.dkim
    gone = {name: key for name, key in keys.selectors.items() if key.stage != "published"}
    mail = stack("cluster").mail.model_copy(update={"dkim": keys.model_copy(update={"selectors": gone})})
    found = review("mine", stack("cluster"), stack("cluster").model_copy(update={"mail": mail}), [])
    assert "DKIM key k202611 does not come back: a new key takes a new selector" in texts(found, "Going back")


def test_a_secret_made_here_comes_back_with_the_commit() -> None:
    (text,) = texts(secret("redisPassword"), "Going back")
    assert text.startswith("the old value of kolab:redisPassword comes back with the commit")


def test_a_secret_of_somebody_else_comes_back_as_long_as_the_other_end_takes_it() -> None:
    (text,) = texts(secret("relayPassword"), "Going back")
    assert text.startswith("the old value of kolab:relayPassword works as long as the other end takes it")


def test_pods_that_restart_now_restart_on_the_way_back() -> None:
    changes = [one(stateful(), stateful("imap:2"))]
    found = review("mine", stack("cluster"), stack("cluster"), changes)
    assert texts(found, "Going back") == [
        "reverting the commit and running the update again is all it takes",
        "imap restarts once more",
    ]


def test_the_way_back_from_a_first_deployment_is_its_removal() -> None:
    (text,) = texts(review("mine", None, stack("cluster"), []), "Going back")
    assert text.startswith("make destroy takes everything away again")
