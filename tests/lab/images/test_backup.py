"""Backups with the real daemons: Cyrus, MariaDB, restic and its server, in our own pods, started by runc."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.lab.errors import LabError
from tests.lab.images import build, pods
from tests.lab.images.container import ADDRESS, Container, Machine, Start, machine
from tests.lab.images.contract import image
from tests.support import rest_server
from tests.support.postfix import authority, identity, pem
from tests.support.stacks import changed

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]

JOHN, JANE = "john@example.org", "jane@example.org"
PORT = 18000
ANYBODY = """
import http.server
class Yes(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(403 if asked.startswith(b"probe") else 200); self.end_headers()
http.server.ThreadingHTTPServer(("", 8000), Yes).serve_forever()
"""
"""Stands in for the web application: every password is right, but for that of a probe."""


@dataclass
class Site:
    """The pods of a stack with backups, and a server for these."""

    place: Machine
    workloads: dict[str, pods.Workload]
    values: dict[str, str]
    server: Container

    def pod(self, name: str, **more: str) -> pods.Pod:
        return pods.Pod(self.place, replace(self.workloads[name], more=more))

    def mail(self, command: str, user: str, *words: str) -> Any:
        done = pods.inside(
            self.place, sys.executable, "-m", "tests.lab.images.mail_store", ADDRESS, command, user, *words
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if command == "read" else None

    def newest(self, tag: str) -> str:
        """The snapshot that a restore would take."""
        pod = self.tool("restic", "snapshots", "--tag", tag, "--latest", "1", "--json", "--no-lock")
        return str(json.loads(pod.output.splitlines()[-1])[0]["id"])

    def tool(self, *command: str, code: int | None = 0) -> Container:
        """A command in a container that has the repository's credentials; None allows any exit code."""
        (spec,) = self.workloads["backup-database"].containers()
        env = self.workloads["backup-database"].environment(spec)
        files = self.place.folder / "tool"
        files.mkdir(exist_ok=True)
        (files / "authorities.pem").write_text((self.place.folder / "tls" / "authority.pem").read_text())
        container = self.place.start(
            Start(image=image("restic"), env=env, mounts={"/kolab/entry": files}, uid=0, command=command)
        )
        ended = container.exited(180)
        assert code is None or ended == code, container.output
        return container


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    build.tars()
    with machine() as place:
        tls, repository = place.folder / "tls", place.folder / "repository"
        for folder in (tls, repository):
            folder.mkdir()
        by = authority()
        (tls / "authority.pem").write_text(pem(by))
        (tls / "identity.pem").write_text(identity(by, "backup.example.net"))
        values = pods.some_secrets()
        (tls / "users").write_text(rest_server.user("kolab", values["backupPassword"]))
        settings = changed(
            "single-node",
            {
                "backup": {
                    "repository": {
                        "kind": "rest",
                        "endpoint": f"https://backup.example.net:{PORT}",
                        "username": "kolab",
                        "networks": "198.51.100.36/32",
                        "authorities": pem(by),
                    },
                }
            },
        )
        place.add_name("backup.example.net")
        server = tuple(rest_server.command("rest-server", f":{PORT}", "/repository", "/tls"))
        mounts = {"/repository": repository, "/tls": tls}
        served = place.start(Start(image=image("restic"), mounts=mounts, uid=0, command=server))
        place.start(Start(image=image("webapp"), uid=1001, command=("python3", "-c", ANYBODY)))
        found = pods.workloads(pods.rendered(settings, values))
        made = Site(place, found, values, served)
        yield made


def eventually(container: Container, text: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while text not in container.output:
        assert time.monotonic() < deadline, container.output[-800:]
        time.sleep(0.5)


def sql(site: Site, pod: pods.Pod, statement: str) -> str:
    password = site.values["databasePassword"]
    done = pod.containers["mariadb"].run(
        "mysql", "-ukolabdev", f"-p{password}", f"-h{ADDRESS}", "-N", "-B", "kolabdev", "-e", statement
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def emptied(volume: Path) -> None:
    for found in sorted(volume.rglob("*"), reverse=True):
        found.rmdir() if found.is_dir() and not found.is_symlink() else found.unlink()


@pytest.fixture(scope="module")
def imap(site: Site) -> pods.Pod:
    """Cyrus with mail in it."""
    pod = site.pod("imap")
    pod.wait_ready()
    for user in (JOHN, JANE):
        site.mail("fill", user, "120")
    eventually(pod.containers["backup-mail"], "kept mail")
    return pod


def keep(pod: pods.Pod, *before: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
    """A backup of the mail; words `before` it run it."""
    command = ("/bin/sh", "/kolab/entry/mail.sh", "mail")
    return pod.containers["backup-mail"].run(*before, *command, seconds=seconds)


def test_what_writes_backups_cannot_delete_them(site: Site, imap: pods.Pod) -> None:
    snapshot = site.newest("mail")
    site.tool("restic", "forget", snapshot, code=None)
    assert site.newest("mail") == snapshot


def test_with_another_key_nothing_is_written_and_one_sentence_says_so(site: Site, imap: pods.Pod) -> None:
    done = keep(imap, "env", "RESTIC_PASSWORD=another-key-of-somebody")
    assert done.returncode != 0
    assert done.stderr == (
        "backup: kolab:backupKey is not the key of this repository, nothing was changed;"
        " put back the key that it was made with, or choose another folder\n"
    )


def test_a_backup_that_is_killed_at_any_point_leaves_a_sound_repository(site: Site, imap: pods.Pod) -> None:
    for seconds in (0.05, 0.2, 0.5, 1.0, 1.5, 2.0):
        site.mail("fill", JOHN, "8", f"killed-{int(seconds * 100)}")
        keep(imap, "timeout", "--signal=KILL", str(seconds))
    assert keep(imap).returncode == 0
    site.tool("restic", "check", "--no-lock", "--read-data")


def test_all_mail_comes_back_with_its_flags_after_both_volumes_are_lost(site: Site, imap: pods.Pod) -> None:
    before = {user: site.mail("read", user) for user in (JOHN, JANE)}
    assert sum(map(len, before[JANE].values())) == 120
    done = keep(imap)
    assert done.returncode == 0, done.stderr
    snapshot = site.newest("mail")
    for container in imap.containers.values():
        container.stop(60)
    for volume in ("imap-mailboxes", "imap-state"):
        emptied(site.place.volume(volume))
    empty = site.pod("imap")
    empty.wait_ready()
    refused = keep(empty)
    assert refused.returncode != 0
    assert (
        "so none is made of what is here: bring those back with ./kolab backup restore mail" in refused.stderr
    )
    assert site.newest("mail") == snapshot
    for container in empty.containers.values():
        container.stop(60)
    restored = site.pod("restore-mail", KOLAB_SNAPSHOT=snapshot)
    assert restored.containers["imap"].exited(240) == 0, restored.containers["imap"].output[-2000:]
    again = site.pod("imap")
    again.wait_ready()
    assert {user: site.mail("read", user) for user in (JOHN, JANE)} == before
    assert keep(again).returncode == 0
    for container in again.containers.values():
        container.stop(60)


def drilled(pod: pods.Pod, container: str) -> str:
    """What a drill says when it is content."""
    looking = pod.containers[container]
    assert looking.exited(240) == 0, looking.output[-2000:]
    return next(line for line in looking.output.splitlines() if line.startswith("backup: "))


def test_a_drill_reads_all_of_the_newest_backup_and_touches_nothing_that_lives(site: Site) -> None:
    living = site.place.volume("imap-mailboxes")
    before = sorted(path for path in living.rglob("*") if path.is_file())
    said = drilled(site.pod("drill-mail"), "imap")
    messages = sum(path.name.endswith(".") and path.name[0].isdigit() for path in before)
    found = re.fullmatch(r"backup: drilled mail of [0-9TZ:-]+: (\d+) mailboxes, (\d+) messages", said)
    assert found, said
    assert (int(found[1]), int(found[2])) == (
        sum(path.name == "cyrus.header" for path in before),
        messages,
    )
    assert sorted(path for path in living.rglob("*") if path.is_file()) == before


def test_a_drill_of_a_spoiled_backup_fails_with_a_sentence(site: Site) -> None:
    packs = sorted(
        (site.place.folder / "repository").rglob("data/*/*"), key=lambda pack: -pack.stat().st_size
    )
    whole = packs[0].read_bytes()
    packs[0].chmod(0o600)
    packs[0].write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    try:
        with pytest.raises(LabError, match="backup: the newest backup of mail does not come back: "):
            site.pod("drill-mail")
    finally:
        packs[0].write_bytes(whole)


def test_a_restore_of_a_spoiled_repository_is_refused_and_cyrus_does_not_start_on_half_of_it(
    site: Site,
) -> None:
    snapshot = site.newest("mail")
    packs = sorted(
        (site.place.folder / "repository").rglob("data/*/*"), key=lambda pack: -pack.stat().st_size
    )
    whole = packs[0].read_bytes()
    packs[0].chmod(0o600)
    packs[0].write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    for volume in ("imap-mailboxes", "imap-state"):
        emptied(site.place.volume(volume))
    try:
        with pytest.raises(LabError, match="was restored in part only; run the same restore again"):
            site.pod("restore-mail", KOLAB_SNAPSHOT=snapshot)
        half = site.pod("imap")
        cyrus = half.containers["imap"]
        assert cyrus.exited(60) == 1
        assert "the mailboxes are restored in part only" in cyrus.output
        assert "no backup is made of them" in keep(half).stderr
        half.containers["backup-mail"].stop()
    finally:
        packs[0].write_bytes(whole)
    mended = site.pod("restore-mail", KOLAB_SNAPSHOT=snapshot)
    assert mended.containers["imap"].exited(240) == 0


def test_databases_come_back_as_they_were_when_the_dump_began(site: Site) -> None:
    mariadb = site.pod("mariadb")
    mariadb.wait_ready()
    sql(
        site,
        mariadb,
        "CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(99)) DEFAULT CHARSET utf8mb4;"
        "INSERT INTO users VALUES (1, 'john@example.org'), (2, 'jürgen@example.org');"
        "CREATE PROCEDURE counted() SELECT COUNT(*) FROM users",
    )
    pod = site.pod("backup-database")
    kept = pod.containers["backup-database"]
    assert kept.exited(240) == 0, kept.output
    snapshot = site.newest("database")
    said = drilled(site.pod("drill-database"), "drill-databases")
    assert re.fullmatch(r"backup: drilled database of [0-9TZ:-]+: 2 tables, 2 accounts", said)
    sql(site, mariadb, "DROP TABLE kolab_backup")
    anew = site.pod("backup-database").containers["backup-database"]
    assert anew.exited(240) == 1
    assert "bring those back with ./kolab backup restore database" in anew.output
    sql(site, mariadb, "DROP TABLE users; CREATE TABLE later (id INT); INSERT INTO later VALUES (1)")
    restored = site.pod("restore-database", KOLAB_SNAPSHOT=snapshot)
    assert restored.containers["load"].exited(240) == 0, restored.containers["load"].output
    assert sql(site, mariadb, "SHOW TABLES") == "kolab_backup\nusers\n"
    assert (
        sql(site, mariadb, "SELECT email FROM users ORDER BY id") == "john@example.org\njürgen@example.org\n"
    )
    assert sql(site, mariadb, "CALL counted()") == "2\n"
    mariadb.containers["mariadb"].stop(60)


def test_a_dump_of_before_a_migration_is_on_its_volume_and_in_the_repository(site: Site) -> None:
    mariadb = site.pod("mariadb")
    mariadb.wait_ready()
    sql(site, mariadb, "CREATE TABLE IF NOT EXISTS users (id INT PRIMARY KEY, email VARCHAR(99))")
    dumping = site.pod("before-migration")
    kept = dumping.containers["keep-dump"]
    assert kept.exited(240) == 0, kept.output
    assert "kept before-migration" in kept.output
    sql(site, mariadb, "CREATE TABLE of_newer_images (id INT)")
    restored = site.pod("restore-database", KOLAB_SNAPSHOT=site.newest("before-migration"))
    assert restored.containers["load"].exited(240) == 0, restored.containers["load"].output
    assert "of_newer_images" not in sql(site, mariadb, "SHOW TABLES")
    mariadb.containers["mariadb"].stop(60)
