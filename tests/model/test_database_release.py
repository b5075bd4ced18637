"""Releases of MariaDB go up: what a preview says of a step, and which images follow."""

from __future__ import annotations

from typing import Any

import pytest

from model import images
from model.settings import Settings
from model.step import judge
from model.transition import snapshot
from tests.model.files import raw, refused, settings

_OTHERS = {"host": "db.example.net", "cidr": "198.51.100.40/32", "maxConnections": 900}


def of(release: object, **more: Any) -> Settings:
    return settings("cluster", {"mariadb/release": release, **more})


def said(before: Settings, after: Settings) -> list[str]:
    """What is said of the step about the database."""
    found = judge(snapshot(before), after).findings
    return [f"{each.severity}: {each}" for each in found if "mariadb" in each.path]


def test_an_older_release_is_dumped_and_taken_over_and_the_preview_says_what_people_notice() -> None:
    (one,) = said(of("10.5"), of("11.8"))
    assert one.startswith(
        "warning: kolab:mariadb.release: MariaDB 11.8 takes over the data of 10.5: they are dumped first; then nobody logs"
        " in, and mail waits, until the system tables are upgraded"
    )
    assert "cannot be taken back, but for the dump" in one


def test_the_way_back_is_refused_with_the_sentence_that_leads_to_the_dump() -> None:
    (one,) = said(of("11.8"), of("10.5"))
    assert one.startswith(
        "error: kolab:mariadb.release: goes from 11.8 back to 10.5, which cannot read data of 11.8"
    )
    assert "you load the dump of before (docs/how-to/update-the-database.md)" in one


def test_the_way_back_can_be_acknowledged() -> None:
    entry = {
        "rule": "database-goes-back",
        "subject": "kolab:mariadb.release",
        "reason": "the dump is at hand",
    }
    assert said(of("11.8"), of("10.5", acknowledge=[entry])) == []


@pytest.mark.parametrize("release", ["10.5", "11.8"])
def test_nothing_is_said_where_the_release_stays(release: str) -> None:
    assert said(of(release), of(release)) == []


def test_a_model_of_before_releases_were_told_is_kolabs_own() -> None:
    old = snapshot(of("10.5")).exported()
    del old["mariadb"]
    found = judge(type(snapshot(of("10.5"))).read(old), of("11.8")).findings
    assert "database-taken-over" in {each.rule for each in found}


@pytest.mark.parametrize("ours", ["10.5", "11.8"])
def test_a_database_of_others_has_a_release_of_its_own(ours: str) -> None:
    others = of(ours, **{"external/database": _OTHERS})
    assert said(others, of("11.8")) == []
    assert said(of("11.8"), others) == []
    assert images.database(others) == "mariadb"


def test_yaml_may_write_the_release_without_quotes() -> None:
    assert of(11.8).mariadb.release == "11.8"


@pytest.mark.parametrize("wrong", ["11.4", "10.11", "11", 12.3, True, ["11.8"], ""])
def test_a_release_that_nobody_has_tried_is_refused_with_those_that_are(wrong: object) -> None:
    (one,) = refused(raw("cluster", {"mariadb/release": wrong}))
    assert one.path == "kolab:mariadb.release"
    assert "'10.5' or '11.8'" in str(one)


def test_each_release_has_an_image_of_its_own_so_that_no_digest_means_another() -> None:
    for release, image, other in (("10.5", "mariadb", "mariadb-11-8"), ("11.8", "mariadb-11-8", "mariadb")):
        used = images.used(of(release))
        assert other not in used
        assert {"mariadb", "before-migration", "restore-dump"} <= set(used[image])
