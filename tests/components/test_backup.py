"""Backups: what may write what, and in which order."""

from __future__ import annotations

import pytest

from components.keeper import Schedule
from tests.support.deploy import Deployment, deploy
from tests.support.stacks import changed, deployment


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


@pytest.mark.parametrize("daemon", ["imap", "versitygw"])
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


@pytest.mark.parametrize(
    ("first", "every", "weekly", "cron"),
    [
        (90, 1440, True, "30 5 * * 0"),
        (90, 1440, False, "30 5 1 * *"),
        (1395, 1440, True, "15 3 * * 0"),
        # Between two backups, not beside one.
        (90, 120, True, "30 2 * * 0"),
    ],
)
def test_drills_are_made_between_two_backups(first: int, every: int, weekly: bool, cron: str) -> None:
    assert Schedule(first=first, every=every, weekly=weekly).drills == cron


@pytest.mark.parametrize("name", ["drill-mail", "drill-database"])
def test_a_drill_has_no_volume_that_outlives_it(program: Deployment, name: str) -> None:
    volumes = program.workload(name).pod["volumes"]
    assert not [volume for volume in volumes if "persistentVolumeClaim" in volume]


def test_a_drill_of_the_mail_has_as_much_room_as_the_mail_itself(program: Deployment) -> None:
    volumes = {each["name"]: each for each in program.workload("drill-mail").pod["volumes"]}
    for volume, claim in (("mailboxes", "imap-mailboxes"), ("state", "imap-state")):
        asked = volumes[volume]["ephemeral"]["volumeClaimTemplate"]["spec"]["resources"]
        assert asked == program.get("PersistentVolumeClaim", claim)["spec"]["resources"]


def test_a_drill_knows_no_password_of_a_living_database(program: Deployment) -> None:
    pod = program.workload("drill-database").pod
    (server,) = pod["containers"]
    assert (server.get("env", []), server.get("envFrom", [])) == ([], [])
    (reader,) = pod["initContainers"]
    names = {name for source in reader["envFrom"] for name in _keys(program, source["secretRef"]["name"])}
    assert "RESTIC_PASSWORD" in names
    assert not {name for name in names if not name.startswith(("RESTIC_", "AWS_"))}


def _keys(program: Deployment, secret: str) -> set[str]:
    return set(program.get("Secret", secret)["stringData"])


@pytest.mark.parametrize("name", ["drill-mail", "drill-database"])
def test_the_volumes_of_a_drill_do_not_stay_until_the_next(program: Deployment, name: str) -> None:
    job = program.workload(name).object["spec"]["jobTemplate"]["spec"]
    assert job["ttlSecondsAfterFinished"] == 3600


def test_a_drill_reaches_the_repository_and_nothing_else(program: Deployment) -> None:
    for name in ("drill-mail", "drill-database"):
        spec = program.get("NetworkPolicy", name)["spec"]
        assert spec["ingress"] == []
        reached = {
            (peer["ipBlock"]["cidr"], port["port"])
            for rule in spec["egress"]
            for peer in rule["to"]
            for port in rule["ports"]
            if "ipBlock" in peer and port["port"] != 53
        }
        assert reached == {("198.51.100.35/32", 443)}


@pytest.mark.thorough
def test_whoever_has_no_room_for_drills_makes_none() -> None:
    names = {each.daemon for each in deploy(changed("full", {"backup": {"drill": "never"}})).workloads}
    assert not {name for name in names if name.startswith("drill")}
