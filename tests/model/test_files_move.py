"""Files go from MinIO to Versity Gateway by stages, each of which is deployed: no stage is left out."""

from __future__ import annotations

import itertools
import json
from typing import get_args

import pytest

from model.deployed import Deployed
from model.review.files_changes import files_changes
from model.settings import FilesEngine, Settings
from model.transition import snapshot, transition
from tests.model.files import settings

STAGES = get_args(FilesEngine)


def at(engine: str, **changes: object) -> Settings:
    return settings("single-node", {"files/engine": engine, **changes})


def rules(before: Settings, after: Settings) -> set[str]:
    """The snapshot travels as JSON, as a stack output does."""
    return {
        each.rule
        for each in transition(Deployed.read(json.loads(json.dumps(snapshot(before).exported()))), after)
    }


@pytest.mark.parametrize(("before", "after"), [*itertools.pairwise(STAGES)])
def test_each_step_of_the_way_passes(before: str, after: str) -> None:
    assert rules(at(before), at(after)) == set()


@pytest.mark.parametrize(
    ("before", "after"),
    [("minio", "versitygw-from-minio"), ("minio", "versitygw"), ("minio-to-versitygw", "versitygw")],
)
def test_a_step_that_leaves_one_out_is_refused_with_the_next_one(before: str, after: str) -> None:
    (found,) = transition(snapshot(at(before)), at(after))
    assert (found.rule, found.path) == ("files-stage-skipped", "kolab:files.engine")
    assert f"the next step is {STAGES[STAGES.index(before) + 1]} " in found.fix


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("versitygw-from-minio", "minio"),
        ("versitygw-from-minio", "minio-to-versitygw"),
        ("versitygw", "minio"),
        ("versitygw", "versitygw-from-minio"),
    ],
)
def test_the_way_back_is_refused_once_the_gateway_has_served(before: str, after: str) -> None:
    assert rules(at(before), at(after)) == {"files-stage-skipped"}
    meant = {
        "acknowledge": [{"rule": "files-stage-skipped", "subject": "*", "reason": "nothing stored since"}]
    }
    assert rules(at(before), at(after, **meant)) == set()


def test_a_copy_that_nobody_used_may_be_given_up() -> None:
    assert rules(at("minio-to-versitygw"), at("minio")) == set()


def test_a_stack_of_an_earlier_release_had_minio() -> None:
    exported = snapshot(at("minio")).exported()
    del exported["files"]
    assert [each.rule for each in transition(Deployed.read(exported), at("versitygw"))] == [
        "files-stage-skipped"
    ]


def test_files_that_were_somebody_elses_or_none_may_begin_anywhere() -> None:
    none = settings("single-node", {"features/files": False, "features/office": False})
    assert snapshot(none).files == "none"
    assert rules(none, at("versitygw")) == set()


def test_whose_files_go_elsewhere_is_not_asked_about_stages() -> None:
    assert rules(at("versitygw"), at("minio", **{"features/files": False, "features/office": False})) == set()


def test_a_stack_that_says_nothing_keeps_minio_and_is_told_what_that_means() -> None:
    found = settings("single-node", {"files": None})
    assert found.files.engine == "minio"
    assert (found.own_minio, found.own_gateway) == (True, False)


@pytest.mark.parametrize(
    ("before", "after", "words", "level"),
    [
        ("minio", "minio-to-versitygw", "MinIO, which serves on", "safe"),
        ("minio-to-versitygw", "versitygw-from-minio", "the web application restarts", "care"),
        ("versitygw-from-minio", "versitygw", "its volume with all that it held goes", "care"),
        ("minio-to-versitygw", "minio", "the copy in Versity Gateway is given up", "care"),
    ],
)
def test_a_review_says_in_words_what_a_step_does(before: str, after: str, words: str, level: str) -> None:
    (item,) = files_changes(at(before), at(after))
    assert words in item.text
    assert item.level == level


def test_a_review_says_nothing_where_files_stay() -> None:
    gone = at("versitygw", **{"features/files": False, "features/office": False})
    assert [*files_changes(at("minio"), at("minio"))] == [*files_changes(at("minio"), gone)] == []
