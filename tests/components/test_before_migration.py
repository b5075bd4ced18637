"""Before images change tables the databases are dumped, and the dump leads back; by a real MariaDB where it matters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components import entry
from tests.support.deploy import Deployment, Workload, deploy
from tests.support.mariadb import Mariadb, mariadb
from tests.support.stacks import changed, deployment

ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")
EXTERNAL = {"external": {"database": {"host": "db.example.net", "cidr": "198.51.100.40/32"}}}


def job(program: Deployment) -> Workload:
    (found,) = [each for each in program.workloads if each.daemon == "before-migration"]
    return found


def with_digests(**digests: str) -> Deployment:
    return deploy(changed("single-node", {"images": {"digests": digests}}))


@pytest.mark.parametrize("image", ["webapp", "roundcube"])
def test_images_that_change_tables_are_preceded_by_a_dump_of_its_own(image: str) -> None:
    one, other = (job(with_digests(**{image: digest})) for digest in (ONE, OTHER))
    assert one.name != other.name
    assert all(re.fullmatch(r"before-migration-[0-9a-f]{10}", each.name) for each in (one, other))


@pytest.mark.parametrize("image", ["imap", "postfix", "proxy", "collabora"])
def test_an_update_of_other_images_makes_no_dump(image: str) -> None:
    one, other = (job(with_digests(**{image: digest})) for digest in (ONE, OTHER))
    assert (one.name, one.object) == (other.name, other.object)


@pytest.mark.parametrize("name", ["single-node", "cluster", "host-port", "full"])
def test_the_dump_says_why_it_failed_and_its_volume_is_guarded(name: str) -> None:
    program = deployment(name)
    tried = job(program)
    assert tried.object["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    every = (*tried.pod.get("initContainers", ()), *tried.pod["containers"])
    assert {each["terminationMessagePolicy"] for each in every} == {"FallbackToLogsOnError"}
    (claim,) = [
        v["persistentVolumeClaim"]["claimName"] for v in tried.pod["volumes"] if "persistentVolumeClaim" in v
    ]
    assert claim == "before-migration-dumps"
    (made,) = [each for each in program.resources if each.name == claim]
    assert made.protect


def test_with_backups_the_repository_has_the_dump_too_and_only_its_writer_has_the_key() -> None:
    program = deployment("full")
    tried = job(program)
    assert [each["name"] for each in tried.pod["initContainers"]] == ["before-migration"]
    (keeping,) = tried.pod["containers"]
    assert {"name": "KOLAB_BACKUP_TAG", "value": "before-migration"} in keeping["env"]
    keys = {
        container["name"]: {
            key
            for source in container["envFrom"]
            for key in program.get("Secret", source["secretRef"]["name"])["stringData"]
        }
        for container in (*tried.pod["initContainers"], keeping)
    }
    assert "RESTIC_PASSWORD" in keys["keep-dump"]
    assert not any(key.startswith("KOLAB_PASSWORD") for key in keys["keep-dump"])
    assert keys["before-migration"] == {"KOLAB_PASSWORD_kolabdev", "KOLAB_PASSWORD_roundcube"}


def test_databases_of_somebody_else_are_dumped_as_well() -> None:
    (dumping,) = job(deploy(changed("single-node", EXTERNAL))).containers
    assert {"name": "DB_HOST", "value": "db.example.net"} in dumping["env"]


def test_the_way_back_waits_until_somebody_asks_for_it() -> None:
    restore = deployment("single-node").workload("restore-dump").object
    assert restore["spec"]["suspend"] is True


@dataclass
class Pod:
    """The containers of a Job, on this machine: their scripts, a folder for the volume and one that goes with the pod."""

    server: Mariadb
    folder: Path

    @property
    def dumps(self) -> list[str]:
        return sorted(each.name for each in self.volume.iterdir() if each.name.startswith("20"))

    @property
    def volume(self) -> Path:
        return self.folder / "dumps"

    def run(self, script: str, **told: str) -> tuple[int, str]:
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        env = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "DB_HOST": "127.0.0.1",
            "KOLAB_PASSWORD_kolabdev": "secret",
            "KOLAB_PASSWORD_roundcube": "secret",
            "KOLAB_SCRIPTS": str(self.folder / "scripts"),
            "KOLAB_DUMPS": str(self.volume),
            "KOLAB_WORK": str(work),
            **told,
        }
        command = ["bash", str(self.folder / "scripts" / script), str(work / "dump"), "kolabdev", "roundcube"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
        # No two dumps of a test have the same second.
        return done.returncode, done.stdout + done.stderr

    def migrate_to(self, images: str, **told: str) -> tuple[int, str]:
        """What an update does: the dump, then a change of tables that names the images."""
        code, said = self.run("before-migration.sh", KOLAB_MIGRATION=images, **told)
        if code == 0:
            self.server.ask(f"CREATE OR REPLACE TABLE kolabdev.made_by AS SELECT '{images}' AS images")
        return code, said

    def made_by(self) -> str:
        return self.server.ask("SELECT images FROM kolabdev.made_by")[0]


@pytest.fixture(scope="module")
def server() -> Iterator[Mariadb]:
    if not shutil.which("mysqldump"):
        pytest.skip("MariaDB's client is not installed: tests/install-packages test")
    with mariadb() as running:
        running.ask(
            "CREATE USER kolabdev@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT ALL ON kolabdev.* TO kolabdev@'127.0.0.1';"
            "CREATE USER roundcube@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT ALL ON roundcube.* TO roundcube@'127.0.0.1';"
        )
        yield running


@pytest.fixture
def pod(server: Mariadb, tmp_path: Path) -> Pod:
    server.ask(
        "CREATE OR REPLACE DATABASE roundcube; CREATE TABLE roundcube.contacts (name VARCHAR(99)) DEFAULT CHARSET utf8mb4;"
        "INSERT INTO roundcube.contacts VALUES ('J\u00fcrgen'); DROP TABLE IF EXISTS kolabdev.made_by;"
        "DROP TABLE IF EXISTS kolabdev.kolab_backup"
    )
    for folder in ("bin", "scripts", "dumps"):
        (tmp_path / folder).mkdir()
    for name, text in deployment("full").folder("before-migration", "before-migration", entry.PATH).items():
        (tmp_path / "scripts" / name).write_text(text)
    for client in ("mysql", "mysqldump", "mariadb", "mariadb-dump"):
        wrapper = tmp_path / "bin" / client
        wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/{client} --port={server.port} --protocol=TCP "$@"\n')
        wrapper.chmod(0o755)
    quick = tmp_path / "bin" / "sleep"
    quick.write_text("#!/bin/sh\n")
    quick.chmod(0o755)
    # No two dumps have the same second.
    later = tmp_path / "bin" / "date"
    later.write_text(
        f"#!/bin/sh\nn=$(($(cat {tmp_path}/clock 2>/dev/null || echo 0) + 60)); echo $n > {tmp_path}/clock\n"
        'exec /bin/date -u -d "@$((1795700000 + n))" "$2"\n'
    )
    later.chmod(0o755)
    return Pod(server, tmp_path)


@pytest.mark.thorough
def test_after_newer_images_and_back_the_databases_are_what_the_older_images_had_made(pod: Pod) -> None:
    assert pod.migrate_to("a")[0] == 0
    code, said = pod.migrate_to("b")
    assert (code, pod.made_by()) == (0, "b"), said
    pod.server.ask(
        "UPDATE roundcube.contacts SET name = 'changed later'; CREATE TABLE kolabdev.of_b (id INT)"
    )
    # While the newer images run, no dump is of their tables.
    code, said = pod.run("restore-dump.sh", KOLAB_TO="", KOLAB_TASK="choose")
    assert (code, "put the old digests back and update first" in said) == (1, True)
    assert pod.run("before-migration.sh", KOLAB_MIGRATION="a")[0] == 0
    code, said = pod.run("restore-dump.sh", KOLAB_TO="")
    assert code == 0, said
    assert pod.made_by() == "a"
    assert pod.server.ask("SELECT name FROM roundcube.contacts") == ["J\u00fcrgen"]
    assert pod.server.ask("SHOW TABLES FROM kolabdev LIKE 'of\\_b'") == []
    # What that has overwritten is there to go back to.
    code, said = pod.run("restore-dump.sh", KOLAB_TO="before-restore")
    assert (code, pod.made_by()) == (0, "b"), said
    assert pod.server.ask("SELECT name FROM roundcube.contacts") == ["changed later"]


@pytest.mark.thorough
def test_a_second_run_of_the_same_job_leaves_the_dump_of_before_alone(pod: Pod) -> None:
    pod.migrate_to("a")
    pod.migrate_to("b")
    dumps = pod.dumps
    # A password that is rotated makes the Job anew, under its old name.
    code, said = pod.run("before-migration.sh", KOLAB_MIGRATION="b")
    assert (code, pod.dumps) == (0, dumps), said
    assert (pod.volume / dumps[-1] / "holds").read_text() == "a\n"


@pytest.mark.thorough
def test_the_volume_keeps_the_last_three_dumps_and_a_time_chooses_one(pod: Pod) -> None:
    for images in "abcde":
        pod.migrate_to(images)
    holds = [(pod.volume / each / "holds").read_text().strip() for each in pod.dumps]
    assert holds == ["b", "c", "d"]
    code, said = pod.run("restore-dump.sh", KOLAB_TO=pod.dumps[1])
    assert (code, pod.made_by()) == (0, "c"), said
    code, said = pod.run("restore-dump.sh", KOLAB_TO="2020-01-01T00:00:00Z")
    assert (code, f"there are: {' '.join(reversed(pod.dumps))}" in said) == (1, True), said


@pytest.mark.thorough
@pytest.mark.parametrize("seconds", [-86400, 86400])
def test_a_clock_that_is_set_by_a_day_deletes_no_younger_dump_and_chooses_no_older_one(
    pod: Pod, seconds: int
) -> None:
    clock = pod.folder / "clock"
    for images in "abc":
        pod.migrate_to(images)
    clock.write_text(str(int(clock.read_text()) + seconds))
    pod.migrate_to("d")
    clock.write_text(str(int(clock.read_text()) - seconds))
    pod.migrate_to("e")
    pod.migrate_to("f")
    assert {(pod.volume / each / "holds").read_text().strip() for each in pod.dumps} == {"c", "d", "e"}
    pod.run("before-migration.sh", KOLAB_MIGRATION="g")
    pod.run("before-migration.sh", KOLAB_MIGRATION="f")
    code, said = pod.run("restore-dump.sh", KOLAB_TO="")
    assert (code, pod.made_by()) == (0, "f"), said


@pytest.mark.thorough
def test_a_stack_without_accounts_has_nothing_to_dump(pod: Pod) -> None:
    pod.server.ask("RENAME TABLE kolabdev.users TO kolabdev.not_yet")
    try:
        code, said = pod.run("before-migration.sh", KOLAB_MIGRATION="a")
    finally:
        pod.server.ask("RENAME TABLE kolabdev.not_yet TO kolabdev.users")
    assert (code, "nothing to dump" in said, pod.dumps) == (0, True, [])
    # The first update knows whose tables it dumps.
    pod.migrate_to("b")
    assert (pod.volume / pod.dumps[0] / "holds").read_text() == "a\n"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"KOLAB_PASSWORD_kolabdev": "wrong"}, "the databases at 127.0.0.1 cannot be dumped: ERROR 1045"),
        ({"KOLAB_PASSWORD_roundcube": "wrong"}, "roundcube could not be dumped"),
        (
            {"KOLAB_DUMPS": "/proc/nowhere"},
            "the dump does not go onto its volume, whose size is kolab:storage.dumps: mkdir",
        ),
    ],
    ids=["a database refuses", "the other one refuses", "a volume that cannot be written"],
)
def test_a_dump_that_fails_says_why_and_that_nothing_was_migrated(
    pod: Pod, broken: dict[str, str], why: str
) -> None:
    code, said = pod.migrate_to("b", **broken)
    last = said.splitlines()[-1]
    assert (code, pod.dumps) == (1, [])
    assert last.startswith(f"dump: {why}"), said
    assert last.endswith("; nothing was migrated, and what runs is as it was")
    assert "secret" not in said


@pytest.mark.thorough
def test_a_restore_that_was_cut_short_keeps_what_was_there_before_it(pod: Pod) -> None:
    pod.migrate_to("a")
    pod.migrate_to("b")
    pod.run("before-migration.sh", KOLAB_MIGRATION="a")
    load = pod.folder / "scripts" / "load.sh"
    whole = load.read_text()
    load.write_text("exit 1\n")
    assert pod.run("restore-dump.sh", KOLAB_TO="")[0] == 1
    load.write_text(whole)
    pod.server.ask("DROP TABLE kolabdev.made_by")
    assert pod.run("restore-dump.sh", KOLAB_TO="")[0] == 0
    assert pod.made_by() == "a"
    assert pod.run("restore-dump.sh", KOLAB_TO="before-restore")[0] == 0
    assert pod.made_by() == "b"
