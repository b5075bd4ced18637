"""MariaDB of Kolab's image: its data on the volume, all the users that the image insists on, ready only when initialised."""

from __future__ import annotations

import shlex

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment

STACK = "moving"
"""One that has not moved to a newer release (test_mariadb_releases.py)."""


def mariadb() -> Workload:
    return deployment(STACK).workload("mariadb")


def test_the_volume_is_where_the_server_keeps_its_data() -> None:
    # One level up it stays empty, and the accounts die with the pod.
    mounts = {each["name"]: each["mountPath"] for each in mariadb().container("mariadb")["volumeMounts"]}
    assert mounts["data"] == "/var/lib/mysql/data"


def test_the_data_belong_to_the_user_of_the_server() -> None:
    assert mariadb().pod["securityContext"]["fsGroup"] == 27
    assert mariadb().container("mariadb")["securityContext"]["runAsUser"] == 27


@pytest.mark.parametrize("database", ["HKCCP", "KOLAB", "RC"])
def test_all_nine_variables_that_the_image_wants_at_each_start_are_there(database: str) -> None:
    given = mariadb().env("mariadb") | deployment(STACK).secret_env("mariadb", "mariadb")
    for what in ("USERNAME", "PASSWORD", "DATABASE"):
        assert given[f"DB_{database}_{what}"]


def test_each_daemon_logs_in_with_the_name_and_password_that_the_server_was_told() -> None:
    stack = deployment(STACK)
    server = mariadb().env("mariadb") | stack.secret_env("mariadb", "mariadb")
    for daemon, container in (("webapp", "webapp"), ("postfix", "postfix"), ("postfix", "amavis")):
        env = stack.workload(daemon).env(container) | stack.secret_env(daemon, container)
        assert [env["DB_DATABASE"], env["DB_USERNAME"], env["DB_PASSWORD"]] == [
            server["DB_HKCCP_DATABASE"],
            server["DB_HKCCP_USERNAME"],
            server["DB_HKCCP_PASSWORD"],
        ]
    roundcube = stack.workload("roundcube").env("roundcube") | stack.secret_env("roundcube", "roundcube")
    for what in ("DATABASE", "USERNAME", "PASSWORD"):
        assert roundcube[f"DB_RC_{what}"] == server[f"DB_RC_{what}"]


@pytest.mark.parametrize(("initialised", "ready"), [(True, True), (False, False)])
def test_the_server_is_ready_only_after_its_initialisation(
    sandbox: Sandbox, initialised: bool, ready: bool
) -> None:
    sandbox.command("mysqladmin")
    sandbox.mount(entry.PATH, deployment(STACK).folder("mariadb", "mariadb", entry.PATH))
    if initialised:
        sandbox.put("/tmp/initialized", "")
    command = shlex.join(mariadb().container("mariadb")["readinessProbe"]["exec"]["command"])
    assert (sandbox.run(command).returncode == 0) is ready


def test_its_passwords_and_its_data_cannot_vanish() -> None:
    guarded = {
        each.name: (each.protect, bool(each.delete_hooks))
        for each in deployment(STACK).resources
        if each.name in ("mariadb-credentials", "mariadb-data")
    }
    assert guarded == {"mariadb-credentials": (True, True), "mariadb-data": (True, True)}


def test_there_is_never_a_second_server_on_the_data() -> None:
    assert (mariadb().kind, mariadb().object["spec"]["replicas"]) == ("StatefulSet", 1)


def test_the_server_has_time_to_write_its_pages() -> None:
    assert mariadb().pod["terminationGracePeriodSeconds"] >= 120


def test_somebody_elses_database_replaces_ours_everywhere() -> None:
    stack = deployment("external")
    assert "mariadb" not in {each.daemon for each in stack.workloads}
    for daemon, container in (("webapp", "webapp"), ("postfix", "postfix"), ("roundcube", "roundcube")):
        assert stack.workload(daemon).env(container)["DB_HOST"] == "db.example.net"
