"""Lines of an operator's own that a change adds or removes."""

from __future__ import annotations

from typing import Any

from model.review import Review, review
from tests.review.test_mail_changes import lines, texts
from tests.support.stacks import changed, stack

TITLE = "Lines of your own"
_HARMLESS = {"postfix": {"maximal_queue_lifetime": "3d"}}


def step(before: dict[str, Any], after: dict[str, Any]) -> Review:
    """The review of the step from one `kolab:extra` to another."""
    entry = {"rule": "extra-unknown", "subject": "*", "reason": "tried on the lab"}
    old, new = (changed("cluster", {"extra": each, "acknowledge": [entry]}) for each in (before, after))
    return review("mine", old, new, [])


def test_each_line_is_shown_as_it_comes_and_as_it_goes() -> None:
    found = step({"postfix": {"maximal_queue_lifetime": "3d"}}, {"postfix": {"maximal_queue_lifetime": "2d"}})
    assert lines(found, TITLE) == [
        "+ postfix.maximal_queue_lifetime: 2d",
        "- postfix.maximal_queue_lifetime: 3d",
    ]


def test_a_line_of_a_list_that_only_moves_is_no_change() -> None:
    scores = ["score URIBL_BLACK 4.0", "score URIBL_RED 2.0"]
    assert texts(step({"spamassassin": scores}, {"spamassassin": scores[::-1]}), TITLE) == []


def test_a_harmless_line_that_is_added_is_safe() -> None:
    found = step({}, _HARMLESS)
    assert texts(found, TITLE) == ["1 line of your own added"]
    assert {s.level for s in found.sections if s.title == TITLE} == {"safe"}


def test_a_line_that_is_only_acknowledged_needs_care() -> None:
    found = step({}, {"imap": {"some_new_option": "yes"}})
    assert texts(found, TITLE) == ["1 line of your own added; what it does is acknowledged, not known"]
    assert {s.level for s in found.sections if s.title == TITLE} == {"care"}


def test_one_line_among_others_that_is_only_acknowledged_is_spoken_of_as_one() -> None:
    others = {"imap": {"some_new_option": "yes"}, **_HARMLESS}
    assert texts(step({}, others), TITLE) == [
        "2 lines of your own added; what one of them does is acknowledged, not known"
    ]


def test_a_line_that_goes_leaves_the_daemons_default() -> None:
    assert texts(step(_HARMLESS, {}), TITLE) == [
        "1 line of your own removed: the daemon goes back to its default"
    ]


def test_a_first_deployment_shows_all_of_them() -> None:
    found = review("mine", None, changed("cluster", {"extra": _HARMLESS}), [])
    assert lines(found, TITLE) == ["+ postfix.maximal_queue_lifetime: 3d"]


def test_lines_that_stay_are_not_spoken_of() -> None:
    assert texts(step(_HARMLESS, _HARMLESS), TITLE) == []


def test_the_shipped_stack_adds_none() -> None:
    assert texts(review("mine", None, stack("cluster"), []), TITLE) == []
