"""Backups with the real daemons: Cyrus, MariaDB, restic and its server, in our own pods, started by runc."""

from __future__ import annotations

import os
import re

import pytest

from tests.lab.errors import LabError
from tests.lab.images import pods
from tests.lab.images.backups import JANE, JOHN, Site, drilled, emptied, keep, sql, with_mail

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]


@pytest.fixture(scope="module")
def imap(site: Site) -> pods.Pod:
    """Cyrus with mail in it."""
    return with_mail(site)


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
