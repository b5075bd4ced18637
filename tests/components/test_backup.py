"""Backups: what may write what, and in which order."""

from __future__ import annotations

import pytest

from components.keeper import Schedule
from tests.support.deploy import Deployment
from tests.support.stacks import deployment


@pytest.fixture
def program() -> Deployment:
    return deployment("full")


@pytest.mark.parametrize(
    ("first", "every", "cron"),
    [
        (90, 1440, "30 1 * * *"),
        (1395, 360, "15 5,11,17,23 * * *"),
        (0, 60, "0 " + ",".join(map(str, range(24))) + " * * *"),
    ],
)
def test_dumps_are_made_at_the_hours_that_follow_from_the_first(first: int, every: int, cron: str) -> None:
    assert Schedule(first=first, every=every).cron == cron


@pytest.mark.parametrize("daemon", ["imap", "minio"])
def test_what_backs_a_volume_up_cannot_write_to_it(program: Deployment, daemon: str) -> None:
    pod = program.workload(daemon).pod
    claims = {volume["name"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume}
    (keeper,) = (each for each in pod["containers"] if each["name"].startswith("backup-"))
    mounted = [mount for mount in keeper["volumeMounts"] if mount["name"] in claims]
    assert mounted
    assert all(mount["readOnly"] is True for mount in mounted)


def test_mail_is_backed_up_after_the_accounts_that_it_belongs_to(program: Deployment) -> None:
    (keeper,) = (each for each in program.workload("imap").pod["containers"] if each["name"] == "backup-mail")
    minute = int(keeper["command"][3])
    dumped = program.workload("backup-database").object["spec"]["schedule"]
    assert (dumped, minute) == ("30 1 * * *", 1 * 60 + 30 + 10)


@pytest.mark.parametrize("name", ["restore-mail", "restore-files", "restore-database"])
def test_nothing_is_restored_by_itself(program: Deployment, name: str) -> None:
    assert program.workload(name).object["spec"]["suspend"] is True


def test_dumps_are_made_by_themselves(program: Deployment) -> None:
    assert "suspend" not in program.workload("backup-database").object["spec"]
