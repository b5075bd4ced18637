"""A newer MariaDB on data of an older one, with real servers of both: what is there afterwards, what is refused, the way back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.lab.images import pods, releases
from tests.lab.images.container import ADDRESS, Machine, machine
from tests.lab.images.releases import Server, volume
from tests.support.stacks import changed

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="volumes are mounted for servers, which needs root"),
]

OLD, NEW = "10.5", "11.8"
_DATA = "/var/lib/mysql/data"
_ACK = {
    "rule": "database-goes-back",
    "subject": "kolab:mariadb.release",
    "reason": "the dump of before leads back",
}
PEOPLE = """
CREATE USER reader@'10.%' IDENTIFIED BY 'another'; USE kolabdev;
CREATE TABLE users (id BIGINT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(191) UNIQUE, name TEXT, settings JSON, picture LONGBLOB,
  created_at TIMESTAMP NULL) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(50)) CHARACTER SET utf8mb4;
CREATE TABLE old (id INT PRIMARY KEY, at DATETIME(3)) ENGINE=MyISAM;
CREATE TABLE wallets (id INT PRIMARY KEY, user_id BIGINT, FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE);
INSERT INTO users (email, name, settings, picture, created_at)
  SELECT CONCAT('p', seq, '@example.org'), CONCAT('Zo\u00eb \U0001f418 ', seq), '{"a": 1}', UNHEX('00FF27'), '2026-01-01' FROM seq_1_to_3000;
INSERT INTO tags VALUES (1, '\U0001f418'), (2, '\u00df'); INSERT INTO old VALUES (1, '2026-01-01 01:02:03.456');
INSERT INTO wallets SELECT id, id FROM users; CREATE DEFINER=kolabdev@'%' VIEW emails AS SELECT email FROM users;
CREATE DEFINER=kolabdev@'%' TRIGGER tr BEFORE INSERT ON tags FOR EACH ROW SET NEW.name = CONCAT(NEW.name, '!');
CREATE DEFINER=kolabdev@'%' PROCEDURE people() SELECT COUNT(*) FROM users;
GRANT SELECT (email) ON users TO reader@'10.%';
"""
_TABLES = "CHECKSUM TABLE users, tags, old, wallets"


@dataclass
class Lab:
    """Both releases, each as its stack file's pod, and data of the old one."""

    place: Machine
    workloads: dict[str, dict[str, pods.Workload]]
    values: dict[str, str]
    clean: Path
    """Of the old release, stopped in order."""
    dirty: Path
    """The same after kill -9 in the midst of writing."""
    sums: str
    running: list[Server] = field(default_factory=list)

    def server(self, release: str, data: Path, **more: str) -> Server:
        """A server's pod on these data."""
        pod = self.workloads[release]["mariadb"]
        self.running.append(releases.start(self.place, release, pod, {_DATA: data}, more=more))
        return self.running[-1]

    def ask(self, statement: str, user: str = "kolabdev", key: str = "databasePassword") -> str | None:
        """What the server answers; None while there is none."""
        client = [
            "chroot", str(releases.tree(OLD)), "mysql", "--no-defaults", f"-h{ADDRESS}", f"-u{user}", "-N", "-B",
            f"-p{self.values[key]}", "--default-character-set=utf8mb4", "kolabdev", "-e", statement,
        ]  # fmt: skip
        done = pods.inside(self.place, *client)
        return done.stdout if done.returncode == 0 else None

    def until_up(self, server: Server, seconds: float = 180) -> None:
        """Until people are served."""
        deadline = time.monotonic() + seconds
        while self.ask("SELECT 1") is None:
            assert server.process.poll() is None, server.said[-3000:]
            assert time.monotonic() < deadline, server.said[-3000:]
            time.sleep(0.3)

    def job(self, name: str, release: str, dumps: Path, **more: str) -> Server:
        """A pod that dumps or loads."""
        work = volume(self.place, "work")
        mounts = {"/work": work, "/dumps": dumps}
        return releases.start(
            self.place, release, self.workloads[release][name], mounts, more={"DB_HOST": ADDRESS, **more}
        )


@pytest.fixture(autouse=True)
def nothing_runs_on(lab: Lab) -> Iterator[None]:
    """A test that fails leaves no server to the next."""
    yield
    for server in lab.running:
        if server.process.poll() is None:
            server.kill()
    lab.running.clear()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    values = pods.some_secrets()
    files: dict[str, dict[str, Any]] = {
        OLD: {"mariadb": {"release": OLD}, "acknowledge": [_ACK]},
        NEW: {"mariadb": {"release": NEW}},
    }
    workloads = {
        each: pods.workloads(pods.rendered(changed("single-node", what), values))
        for each, what in files.items()
    }
    with machine() as place:
        data = volume(place, "data")
        made = Lab(place, workloads, values, data, data, "")
        server = made.server(OLD, data)
        made.until_up(server)
        root = [
            "chroot", str(releases.tree(OLD)), "mysql", "--no-defaults", f"-h{ADDRESS}", "-uroot",
            f"-p{values['databaseRootPassword']}", "--default-character-set=utf8mb4",
        ]  # fmt: skip
        done = pods.inside(place, *root, text=PEOPLE)
        assert done.returncode == 0, done.stderr
        made.sums = made.ask(_TABLES) or ""
        assert made.sums
        server.stop()
        made.clean = volume(place, "clean", data)
        server = made.server(OLD, data)
        made.until_up(server)
        assert (
            made.ask(
                "UPDATE users SET name = CONCAT(name, 'x'); UPDATE users SET name = TRIM(TRAILING 'x' FROM name)"
            )
            == ""
        )
        server.kill()
        made.dirty = volume(place, "dirty", data)
        yield made


def files_of(data: Path) -> dict[str, bytes]:
    """Every file of a volume, and what is in it."""
    return {str(each.relative_to(data)): each.read_bytes() for each in data.rglob("*") if each.is_file()}


def assert_whole(lab: Lab) -> None:
    """Every row, right and routine of before is there, and the server is the new one in every respect."""
    assert (lab.ask("SELECT VERSION()") or "").startswith(NEW)
    assert lab.ask(_TABLES) == lab.sums
    assert lab.ask("SELECT name FROM users WHERE id = 7; SELECT COUNT(*) FROM emails; CALL people()") == (
        "Zo\u00eb \U0001f418 7\n3000\n3000\n"
    )
    root = {"user": "root", "key": "databaseRootPassword"}
    assert "`reader`@`10.%`" in (lab.ask("SHOW GRANTS FOR reader@'10.%'", **root) or "")
    assert "SELECT (`email`)" in (lab.ask("SHOW GRANTS FOR reader@'10.%'", **root) or "")
    # A system table that only the new release has the like of.
    assert lab.ask("SHOW COLUMNS FROM mysql.db LIKE 'Show_create_routine_priv'", **root)


def test_every_row_and_right_is_there_under_the_new_release(lab: Lab) -> None:
    data = volume(lab.place, "data", lab.clean)
    server = lab.server(NEW, data)
    lab.until_up(server)
    assert "MariaDB 11.8 takes over data of 10.5" in server.said
    assert_whole(lab)
    server.stop()
    server = lab.server(NEW, data)
    lab.until_up(server)
    assert "takes over" not in server.said
    assert_whole(lab)
    server.stop()


def test_killed_again_and_again_during_the_upgrade_it_never_serves_half_of_it_and_ends_whole(
    lab: Lab,
) -> None:
    data = volume(lab.place, "data", lab.clean)
    between, seconds = 0, 0.6
    while True:
        server = lab.server(NEW, data)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (up := lab.ask("SELECT 1")) is None:
            time.sleep(0.1)
        if up is not None:
            break
        server.kill()
        opened = b"MariaDB 11.8" in (data / "ib_logfile0").read_bytes()[:64]
        between += opened and not (data / "mariadb_upgrade_info").exists()
        seconds += 0.4
        assert seconds < 60, server.said[-2000:]
    assert between, "no kill came between the first and the last step"
    assert_whole(lab)
    server.stop()


def test_data_that_the_old_release_did_not_close_are_refused_and_the_old_release_still_recovers_them(
    lab: Lab,
) -> None:
    data = volume(lab.place, "data", lab.dirty)
    server = lab.server(NEW, data)
    assert server.ended() == 70
    assert server.said.splitlines()[-1] == (
        "mariadb: MariaDB 10.5 was not stopped in order, and only that release can read the log that it left; nothing was"
        " changed. Set kolab:mariadb.release to 10.5 again, let it start, and then go on: docs/how-to/update-the-database.md"
    )
    assert lab.ask("SELECT 1") is None
    old = lab.server(OLD, data)
    lab.until_up(old)
    assert lab.ask(_TABLES) == lab.sums
    old.stop()
    server = lab.server(NEW, data)
    lab.until_up(server)
    assert_whole(lab)
    server.stop()


def test_the_old_release_refuses_newer_data_and_leaves_every_byte(lab: Lab) -> None:
    data = volume(lab.place, "data", lab.clean)
    server = lab.server(NEW, data)
    lab.until_up(server)
    server.stop()
    before = files_of(data)
    old = lab.server(OLD, data, KOLAB_GOES_BACK="")
    assert old.ended() == 70
    assert old.said == (
        "mariadb: the volume holds data of MariaDB 11.8, and this image has 10.5, which cannot read them; nothing was changed."
        " Set kolab:mariadb.release to 11.8 again, or go back by the dump: docs/how-to/update-the-database.md\n"
    )
    assert files_of(data) == before


def test_a_dump_made_before_leads_back_to_the_old_release(lab: Lab) -> None:
    data, dumps = volume(lab.place, "data", lab.clean), volume(lab.place, "dumps")
    old = lab.server(OLD, data)
    lab.until_up(old)
    # As the first deployment did, and as the update does: the clients are the new release's, and the server is still the old one.
    for release in (OLD, NEW):
        dumped = lab.job("before-migration", release, dumps)
        assert dumped.ended() == 0, dumped.said
        time.sleep(1)  # Dumps are called after the second.
    old.stop()
    server = lab.server(NEW, data)
    lab.until_up(server)
    assert lab.ask("DELETE FROM users WHERE id < 100") == ""
    server.stop()
    old = lab.server(OLD, data)
    lab.until_up(old)
    assert "the data of MariaDB 11.8 are put aside" in old.said
    assert lab.ask("SHOW TABLES") == ""
    again = lab.job("before-migration", OLD, dumps)
    assert again.ended() == 0, again.said
    restored = lab.job("restore-dump", OLD, dumps)
    assert restored.ended() == 0, restored.said
    assert (lab.ask("SELECT VERSION()") or "").startswith(OLD)
    assert lab.ask(_TABLES) == lab.sums
    old.stop()


def test_a_first_start_that_was_cut_short_begins_anew_and_nobody_enters_without_a_password(lab: Lab) -> None:
    data = volume(lab.place, "data")
    server = lab.server(NEW, data)
    time.sleep(2)
    server.kill()
    server = lab.server(NEW, data)
    lab.until_up(server)
    root = {"user": "root", "key": "databaseRootPassword"}
    found = lab.ask("SELECT CONCAT(User, '@', Host) FROM mysql.global_priv ORDER BY 1", **root)
    assert (found or "").split() == [
        "kolab@%", "kolabdev@%", "mariadb.sys@localhost", "root@%", "root@localhost", "roundcube@%"
    ]  # fmt: skip
    server.stop()


def test_a_volume_with_something_else_on_it_is_left_alone(lab: Lab) -> None:
    data = volume(lab.place, "data")
    (data / "photo.jpg").write_text("of somebody")
    server = lab.server(NEW, data)
    assert server.ended() == 70
    assert server.said == (
        "mariadb: the volume holds photo.jpg and no system tables: these are no data of MariaDB's; nothing was changed\n"
    )
    assert [each.name for each in data.iterdir()] == ["photo.jpg"]


def test_an_image_of_another_release_than_the_stack_file_names_does_not_start(lab: Lab) -> None:
    data = volume(lab.place, "data", lab.clean)
    before = files_of(data)
    server = lab.server(NEW, data, KOLAB_RELEASE="11.4")
    assert server.ended() == 70
    assert server.said == (
        "mariadb: the image has MariaDB 11.8, and kolab:mariadb.release says 11.4: pin an image of that release\n"
    )
    assert files_of(data) == before
