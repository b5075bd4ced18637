"""Backups of people's files with the real gateway and restic, in our own pods, started by runc."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

from model.accounts import GATEWAY_USER
from tests.lab.images import pods
from tests.lab.images.backups import Site, emptied, with_mail
from tests.lab.images.container import ADDRESS

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]

_PATHS = ("one", "a/b c", "in parts")


def _ask(site: Site, *steps: tuple[str, str, Any]) -> list[dict[str, Any]]:
    wanted: list[tuple[Any, ...]] = [(method, f"kolab/{path}", body, {}) for method, path, body in steps]
    line = (sys.executable, "-m", "tests.support.s3", ADDRESS, "7070", GATEWAY_USER)
    done = pods.inside(site.place, *line, site.values["filesPassword"], json.dumps(wanted))
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def _seen(site: Site) -> list[dict[str, Any]]:
    return _ask(site, *(("GET", path, "") for path in _PATHS), *(("HEAD", path, "") for path in _PATHS))


def _keep(gateway: pods.Pod) -> tuple[int, str]:
    done = gateway.containers["backup-objects"].run("/bin/sh", "/kolab/entry/objects.sh", "objects")
    return done.returncode, done.stderr


def test_files_come_back_with_what_s3_knows_of_them_after_their_volume_is_lost(site: Site) -> None:
    # Beside Cyrus the repository is made.
    with_mail(site, 1)
    gateway = site.pod("versitygw")
    gateway.wait_ready()
    put = _ask(site, ("PUT", "one", "1"), ("PUT", "a/b c", "2"), ("PARTS", "in parts", 25))
    assert [each["status"] for each in put] == [200] * 3
    before = _seen(site)
    assert _keep(gateway) == (0, "")
    snapshot = site.newest("objects")
    for container in gateway.containers.values():
        container.stop(30)
    emptied(site.place.volume("versitygw-data"))

    empty = site.pod("versitygw")
    empty.wait_ready()
    code, said = _keep(empty)
    assert code != 0
    assert "holds backups of objects from before this stack was made" in said
    for container in empty.containers.values():
        container.stop(30)
    restored = site.pod("restore-files", KOLAB_SNAPSHOT=snapshot)
    assert restored.containers["restore-files"].exited(240) == 0, restored.containers["restore-files"].output
    again = site.pod("versitygw")
    again.wait_ready()
    assert _seen(site) == before
    assert all(each["etag"] for each in before)
    assert _keep(again) == (0, "")
