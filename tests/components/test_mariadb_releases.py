"""A newer MariaDB in the stack file: what its pod runs, what comes before it, and what leads back."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components import entry
from tests.support.deploy import Deployment, Workload, deploy
from tests.support.sandbox import Sandbox
from tests.support.stacks import changed

SCRIPTS = Path("components/scripts/mariadb")
_ACK = {"rule": "database-goes-back", "subject": "kolab:mariadb.release", "reason": "the dump is at hand"}


def of(release: str, before: str | None = None, **more: Any) -> Deployment:
    """A stack with this release, where one with `before` is deployed."""
    wanted = changed("single-node", {"mariadb": {"release": release}, **more})
    return deploy(wanted, before=changed("single-node", {"mariadb": {"release": before}}) if before else None)


def server(program: Deployment) -> Workload:
    return program.workload("mariadb")


def waits_for_the_dump(program: Deployment) -> bool:
    (dump,) = [each.urn for each in program.resources if each.name == "before-migration-job"]
    (pods,) = [each for each in program.resources if each.name == "mariadb-pods"]
    return dump in pods.dependencies


def dump_of(program: Deployment) -> str:
    (found,) = [each.name for each in program.workloads if each.daemon == "before-migration"]
    return found


def test_a_stack_that_says_nothing_keeps_kolabs_own_release_and_its_dump() -> None:
    silent = deploy(changed("single-node", {"mariadb": None}))
    assert server(silent).container("mariadb")["image"] == "quay.io/apheleiait/kolab/mariadb:latest"
    assert dump_of(silent) == dump_of(of("10.5"))


def test_the_newer_release_is_mariadbs_own_image_on_the_same_volume_for_the_same_user() -> None:
    old, new = server(of("10.5")), server(of("11.8"))
    assert new.container("mariadb")["image"].startswith("docker.io/library/mariadb:11.8.")
    assert new.pod["volumes"][1:] == old.pod["volumes"][1:]
    assert new.pod["securityContext"] == old.pod["securityContext"]
    assert new.container("mariadb")["securityContext"] == old.container("mariadb")["securityContext"]
    mounts = [
        {m["name"]: m["mountPath"] for m in each.container("mariadb")["volumeMounts"]} for each in (old, new)
    ]
    assert mounts[0] == mounts[1]


def test_whoever_dumps_and_loads_has_the_clients_of_the_server_of_the_stack_file() -> None:
    program = of("11.8")
    names = ("before-migration", "restore-dump")
    images = {
        each["image"]
        for workload in program.workloads
        if workload.daemon in names
        for each in (*workload.pod.get("initContainers", ()), *workload.pod["containers"])
        if "restic" not in each["image"]
    }
    assert images == {server(program).container("mariadb")["image"]}


def test_data_of_an_older_release_are_dumped_before_the_newer_one_sees_them() -> None:
    program = of("11.8", before="10.5")
    assert waits_for_the_dump(program)
    assert dump_of(program) != dump_of(of("10.5"))


@pytest.mark.parametrize(
    ("release", "before"),
    [("11.8", None), ("11.8", "11.8"), ("10.5", "11.8"), ("10.5", "10.5")],
    ids=["first deployment", "no change", "way back", "no change of the old one"],
)
def test_a_server_whose_dump_waits_for_it_waits_for_no_dump(release: str, before: str | None) -> None:
    assert not waits_for_the_dump(of(release, before))


def test_the_newer_release_has_hours_to_take_data_over_before_its_pod_is_killed() -> None:
    probe = server(of("11.8")).container("mariadb")["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 6 * 3600


def test_half_of_the_memory_is_the_buffer_pool_as_in_kolabs_image() -> None:
    found = server(of("11.8"))
    limit = found.container("mariadb")["resources"]["limits"]["memory"]
    assert (limit, found.env("mariadb")["KOLAB_BUFFER_POOL"]) == ("1Gi", str(512 * 1024**2))


def test_newer_data_are_put_aside_only_where_the_way_back_is_acknowledged() -> None:
    assert "KOLAB_GOES_BACK" not in server(of("10.5", before="11.8")).env("mariadb")
    assert "KOLAB_GOES_BACK" in server(of("10.5", before="11.8", acknowledge=[_ACK])).env("mariadb")


@pytest.mark.parametrize("initialised", [True, False])
def test_the_newer_release_is_ready_only_after_its_initialisation(
    sandbox: Sandbox, initialised: bool
) -> None:
    sandbox.command("mariadb-admin")
    program = of("11.8")
    sandbox.mount(entry.PATH, program.folder("mariadb", "mariadb", entry.PATH))
    if initialised:
        sandbox.put("/tmp/initialized", "")
    container = server(program).container("mariadb")
    ready, alive = (
        shlex.join(container[f"{each}Probe"]["exec"]["command"]) for each in ("readiness", "liveness")
    )
    assert (sandbox.run(ready).returncode == 0) is initialised
    assert sandbox.run(alive).returncode == 0


def volume(folder: Path, creator: str = "", upgraded: str = "") -> Path:
    """A volume as a server of that release leaves it, as far as its release shows."""
    data = folder / "data"
    (data / "mysql").mkdir(parents=True)
    (data / "kolabdev").mkdir()
    if creator:
        (data / "ib_logfile0").write_bytes(bytes(16) + creator.encode().ljust(32, b"\0") + bytes(464))
    if upgraded:
        (data / "mysql_upgrade_info").write_text(upgraded)
    return data


def guarded(tmp_path: Path, data: Path, here: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Kolab's image with a server of release `here`, on these data."""
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts)
    text = (scripts / "data.sh").read_text().replace("/var/lib/mysql/data", str(data))
    (scripts / "data.sh").write_text(text)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, line in (
        ("mariadbd", f'echo "mariadbd  Ver {here}-MariaDB for Linux on x86_64"'),
        ("run-mysqld", "echo served"),
        ("mysql", ":"),
        ("mysqladmin", ":"),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    return subprocess.run(
        ["/bin/bash", str(scripts / "entry.sh")],
        env={"PATH": f"{programs}:/usr/bin:/bin", "KOLAB_SCRIPTS": str(scripts), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("creator", "upgraded"),
    [
        ("", ""),
        ("MariaDB 10.5.22", ""),
        ("MariaDB 10.5.29", "10.5.29-MariaDB"),
        ("MariaDB 10.4.34", "10.3.39-MariaDB"),
        ("Backup 10.5.22", ""),
    ],
)
def test_data_of_this_release_or_of_an_older_one_are_served(
    tmp_path: Path, creator: str, upgraded: str
) -> None:
    done = guarded(tmp_path, volume(tmp_path, creator, upgraded), "10.5.27")
    assert (done.returncode, done.stdout) == (0, "served\n"), done.stderr


@pytest.mark.parametrize(
    ("creator", "upgraded"),
    [("MariaDB 11.8.9", ""), ("MariaDB 10.5.22", "11.8.9-MariaDB"), ("MariaDB 10.11.14", "")],
)
def test_data_of_a_newer_release_stop_an_older_server_with_a_sentence(
    tmp_path: Path, creator: str, upgraded: str
) -> None:
    data = volume(tmp_path, creator, upgraded)
    before = sorted(each.relative_to(data) for each in data.rglob("*"))
    done = guarded(tmp_path, data, "10.5.27")
    assert (done.returncode, done.stdout) == (70, "")
    assert "which cannot read them; nothing was changed" in done.stderr
    assert "docs/how-to/update-the-database.md" in done.stderr
    assert sorted(each.relative_to(data) for each in data.rglob("*")) == before


def test_what_is_put_aside_is_whole_even_when_that_was_cut_short(tmp_path: Path) -> None:
    data = volume(tmp_path, "MariaDB 11.8.9", "11.8.9-MariaDB")
    aside = data / ".kolab-aside"
    # As after a kill: one folder is there already, the log is not.
    aside.mkdir()
    (aside / "unfinished").touch()
    (data / "kolabdev").rename(aside / "kolabdev")
    (data / "lost+found").mkdir()
    done = guarded(tmp_path, data, "10.5.27", KOLAB_GOES_BACK="yes")
    assert done.returncode == 0, done.stderr
    assert sorted(each.name for each in data.iterdir()) == [".kolab-aside", "lost+found"]
    assert sorted(each.name for each in aside.iterdir()) == [
        "ib_logfile0",
        "kolabdev",
        "mysql",
        "mysql_upgrade_info",
    ]


def test_data_that_this_release_can_read_are_never_put_aside(tmp_path: Path) -> None:
    data = volume(tmp_path, "MariaDB 10.5.22")
    done = guarded(tmp_path, data, "10.5.27", KOLAB_GOES_BACK="yes")
    assert done.returncode == 0, done.stderr
    assert (data / "mysql").is_dir()
    assert not (data / ".kolab-aside").exists()
