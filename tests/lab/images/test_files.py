"""People's files move from MinIO to Versity Gateway: our own pods with the real gateway and the real rclone, started by runc."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from model.accounts import FILES_USER, GATEWAY_USER
from tests.lab.images import build, pods
from tests.lab.images.container import ADDRESS, Container, Machine, machine
from tests.support.stacks import changed

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]

_OLD, _NEW = 9000, 7070
_SERVERS = {_OLD: (FILES_USER, "minioPassword"), _NEW: (GATEWAY_USER, "filesPassword")}


@dataclass
class Site:
    """Both servers, and what copies."""

    place: Machine
    values: dict[str, str]
    workloads: dict[str, dict[str, pods.Workload]]
    """Stage -> workloads."""
    running: dict[str, pods.Pod] = field(default_factory=dict)

    def ask(self, port: int, *steps: tuple[Any, ...]) -> list[dict[str, Any]]:
        """What a server answers to its own user."""
        user, key = _SERVERS[port]
        wanted = [(method, f"kolab/{path}", body, query) for method, path, body, query in steps]
        line = (sys.executable, "-m", "tests.support.s3", ADDRESS, str(port), user, self.values[key])
        done = pods.inside(self.place, *line, json.dumps(wanted))
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def put(self, port: int, *paths: str) -> None:
        """Text that says where it lies."""
        answers = self.ask(port, *(("PUT", path, path, {}) for path in paths))
        assert [each["status"] for each in answers] == [200] * len(paths)

    def there(self, port: int, *paths: str) -> list[bool]:
        """Whether each is there."""
        return [each["status"] == 200 for each in self.ask(port, *(("GET", path, "", {}) for path in paths))]

    def copying(self, stage: str) -> Container:
        """What copies, in this stage, until it says that all is copied."""
        self.stop("move-files")
        pod = self.running["move-files"] = pods.Pod(self.place, self.workloads[stage]["move-files"])
        pod.wait_ready()
        return pod.containers["move-files"]

    def stop(self, name: str) -> None:
        """Ends a pod, where it runs."""
        if name in self.running:
            for each in self.running.pop(name).containers.values():
                each.stop(10)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    build.tars()
    values = pods.some_secrets()
    stages = {
        stage: pods.workloads(pods.rendered(changed("single-node", {"files": {"engine": stage}}), values))
        for stage in ("minio-to-versitygw", "versitygw-from-minio")
    }
    with machine() as place:
        made = Site(place, values, stages)
        for name in ("minio", "versitygw"):
            made.running[name] = pods.Pod(place, stages["minio-to-versitygw"][name])
            made.running[name].wait_ready()
        yield made


def _eventually(seen: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(1)


def test_files_move_and_none_is_lost_or_comes_back(site: Site) -> None:
    site.put(_OLD, "ch/u n k/1", "ch/ü/2", "ch/3")
    (kept,) = site.ask(_OLD, ("PUT", "big", 30, {}))
    assert kept["status"] == 200

    copying = site.copying("minio-to-versitygw")
    assert "files: all is copied: 4 files, " in copying.output
    paths = ("ch/u n k/1", "ch/ü/2", "ch/3", "big")
    old, new = (site.ask(port, *(("GET", path, "", {}) for path in paths)) for port in (_OLD, _NEW))
    assert [each["sha256"] for each in new] == [each["sha256"] for each in old]

    # People go on working with the old one.
    site.put(_OLD, "ch/4")
    site.ask(_OLD, ("DELETE", "ch/3", "", {}))
    _eventually(lambda: site.there(_NEW, "ch/4", "ch/3") == [True, False])

    # Written when nobody copies any more, before pages change.
    site.stop("move-files")
    site.put(_OLD, "ch/5")
    copying = site.copying("versitygw-from-minio")
    assert site.there(_NEW, "ch/1", "ch/5") == [False, True]

    # Pages have changed; one that had not yet finished writes to the old one, and somebody deletes in the new one.
    site.ask(_NEW, ("DELETE", "ch/4", "", {}))
    site.put(_NEW, "ch/new", "ch/6")
    site.put(_OLD, "ch/late")
    _eventually(lambda: site.there(_NEW, "ch/late") == [True])
    assert site.there(_NEW, "ch/new", "ch/6") == [True, True]


def test_a_drive_that_suddenly_shows_nothing_takes_no_copy_along(site: Site) -> None:
    paths = ("ch/u n k/1", "ch/ü/2", "ch/4", "ch/5", "ch/late", "big")
    site.ask(_OLD, *(("DELETE", path, "", {}) for path in paths))
    site.stop("move-files")
    pod = site.running["move-files"] = pods.Pod(
        site.place, site.workloads["minio-to-versitygw"]["move-files"]
    )
    container = pod.containers["move-files"]
    _eventually(lambda: "MinIO shows no file" in container.output)
    assert site.there(_NEW, "ch/new", "ch/5") == [True, True]


def test_a_server_that_does_not_answer_is_said_in_one_sentence_without_its_password(site: Site) -> None:
    site.stop("minio")
    container = site.running["move-files"].containers["move-files"]
    _eventually(lambda: "connection refused" in container.output, 240)
    assert all(value not in container.output for value in site.values.values())
