"""What backups cost beside what they are made of: restic alone on the same tree, mariadb-dump alone. Ratios of one run each,
by medians of turns, printed. Of the mail only what costs depends on is there: files as Cyrus lays them down."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.bench import clock
from tests.lab.images import backups
from tests.lab.images.backups import Site, emptied, idle, sql
from tests.lab.images.container import Container

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]

_PEOPLE, _EACH = 50, 400
_SPOOL, _STATE = "/var/spool/imap", "/var/lib/imap"
_TURNS = 3
_MOST = 1.3


@dataclass
class Mailboxes:
    """Cyrus' volumes as the container sees them that backs them up, and a folder of the repository for each turn."""

    keeper: Container
    folder: Path
    _turn: Iterator[int] = field(default_factory=count)

    def run(self, *command: str) -> str:
        done = self.keeper.run(*command, seconds=600)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def repository(self) -> str:
        """A new one, empty, as variable and value."""
        place = (
            f"RESTIC_REPOSITORY=rest:https://backup.example.net:{backups.PORT}/kolab/turn{next(self._turn)}/"
        )
        self.run("env", place, "restic", "init", "--quiet")
        return place

    def keep(self, repository: str) -> None:
        """Our backup."""
        self.run("env", repository, "/bin/sh", "/kolab/entry/mail.sh", "mail")

    def alone(self, repository: str) -> None:
        """restic's."""
        self.run("env", repository, "restic", "backup", "--quiet", "--host", "alone", _SPOOL, _STATE)

    def newest(self, repository: str) -> str:
        said = self.run("env", repository, "restic", "snapshots", "--latest", "1", "--json")
        return said.rpartition('"id":"')[2].partition('"')[0]

    def volume(self, path: str) -> Path:
        return self.folder / path.strip("/").replace("/", "-")

    def lose(self) -> None:
        for path in (_SPOOL, _STATE):
            emptied(self.volume(path))


@pytest.fixture(scope="module")
def mailboxes(site: Site) -> Mailboxes:
    folder = site.place.folder / "cost"
    paths = (_SPOOL, _STATE, "/work")
    mounts = {path: folder / path.strip("/").replace("/", "-") for path in paths}
    for each in mounts.values():
        each.mkdir(parents=True)
    made = Mailboxes(idle(site, "imap", "backup-mail", mounts), folder)
    _fill(mounts[_SPOOL], mounts[_STATE])
    return made


def _fill(spool: Path, state: Path) -> None:
    """20,000 messages, 1 GB: one in ten has something attached."""
    chance = random.Random(14)  # noqa: S311 - no secret
    (state / "mailboxes.db").write_bytes(chance.randbytes(300_000))
    (state / ".identity").write_text("0b6dca2e-9d9f-4a51-8f5e-6f0c5e0d9a14\n")
    for person in range(_PEOPLE):
        box = spool / "domain/e/example.org/p/user" / f"person{person}"
        box.mkdir(parents=True)
        for name, size in (("header", 200), ("index", 128 + _EACH * 104), ("cache", _EACH * 600)):
            (box / f"cyrus.{name}").write_bytes(chance.randbytes(size))
        for number in range(1, _EACH + 1):
            size = chance.randrange(100_000, 800_000) if number % 10 == 0 else chance.randrange(1_000, 10_000)
            head = f"From: a@example.org\r\nSubject: {number}\r\n\r\n".encode()
            (box / f"{number}.").write_bytes(head + chance.randbytes(size))


def _ratio(what: str, ours: Callable[[], object], least: Callable[[], object], turns: int = _TURNS) -> float:
    mine, other = clock.in_turn([ours, least], turns)
    print(f"{mine.wall / other.wall:.2f} ({mine.wall:.1f} s / {other.wall:.1f} s): {what}")
    return mine.wall / other.wall


def test_a_first_backup_of_20_000_messages_takes_little_longer_than_restic_alone(
    mailboxes: Mailboxes,
) -> None:
    ready = [mailboxes.repository() for _ in range(2 * _TURNS)]
    ratio = _ratio(
        "first backup / restic alone",
        lambda: mailboxes.keep(ready.pop()),
        lambda: mailboxes.alone(ready.pop()),
    )
    assert ratio <= _MOST


def test_a_second_backup_of_unchanged_messages_takes_a_tenth_of_the_first(mailboxes: Mailboxes) -> None:
    """But for what any backup takes, were it of nothing: some calls of restic, each of which derives the key anew."""
    ready = [mailboxes.repository() for _ in range(_TURNS)]
    used: list[str] = []

    def first() -> None:
        used.append(ready.pop())
        mailboxes.keep(used[-1])

    def second() -> None:
        mailboxes.keep(used[-1])

    def nothing() -> None:
        ready = f"mkdir -p /work/no-mail /work/no-state; cp -p {_STATE}/.identity /work/no-state"
        command = f"{ready}; /bin/sh /kolab/entry/mail.sh mail /work/no-mail /work/no-state"
        mailboxes.run("env", used[-1], "/bin/sh", "-c", command)

    one, two, none = clock.in_turn([first, second, nothing], _TURNS)
    ratio = (two.wall - none.wall) / (one.wall - none.wall)
    print(
        f"{ratio:.2f} ({two.wall:.1f} s / {one.wall:.1f} s, of nothing {none.wall:.1f} s): second backup / first one"
    )
    assert ratio <= 0.1


def test_a_second_backup_of_unchanged_messages_sends_a_hundredth_of_the_first(
    site: Site, mailboxes: Mailboxes
) -> None:
    repository = mailboxes.repository()
    folder = site.place.folder / "repository" / "kolab" / repository.rstrip("/").rpartition("/")[2]
    mailboxes.keep(repository)
    first = _bytes(folder)
    mailboxes.keep(repository)
    assert _bytes(folder) - first <= first / 100


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_restore_of_20_000_messages_takes_little_longer_than_restic_alone(mailboxes: Mailboxes) -> None:
    repository, other = mailboxes.repository(), mailboxes.repository()
    mailboxes.keep(repository)
    mailboxes.alone(other)
    ours, least = mailboxes.newest(repository), mailboxes.newest(other)
    kept = mailboxes.folder / "kept"
    shutil.copytree(mailboxes.folder, kept, ignore=shutil.ignore_patterns("work", "kept"))
    taken: dict[str, list[clock.Time]] = {"ours": [], "least": []}
    told = ("env", repository, f"KOLAB_SNAPSHOT={ours}", "/bin/sh", "/kolab/entry/restore.sh", "mail")
    for _ in range(_TURNS):
        mailboxes.lose()
        taken["least"].append(
            clock.once(
                partial(mailboxes.run, "env", other, "restic", "restore", "--quiet", least, "--target", "/")
            )
        )
        mailboxes.lose()
        taken["ours"].append(clock.once(partial(mailboxes.run, *told)))
        assert _tree(mailboxes.volume(_SPOOL)) == _tree(kept / mailboxes.volume(_SPOOL).name)
    mine, alone = (sorted(each.wall for each in taken[who])[_TURNS // 2] for who in ("ours", "least"))
    print(f"{mine / alone:.2f} ({mine:.1f} s / {alone:.1f} s): restore / restic alone")
    assert mine <= _MOST * alone


def _tree(folder: Path) -> dict[str, int]:
    """What is below, without what Cyrus makes anew."""
    return {
        str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()
    }


def test_a_dump_and_its_load_take_little_longer_than_mariadbs_own_programs(site: Site) -> None:
    mariadb = site.pod("mariadb")
    mariadb.wait_ready()
    rows = "SELECT seq, SHA2(seq, 512), REPEAT(SHA2(seq + 1, 512), 3) FROM seq_1_to_400000"
    sql(
        site,
        mariadb,
        f"CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(128), note TEXT); INSERT INTO users {rows}",
    )
    work = site.place.folder / "cost-dump"
    work.mkdir()
    # What dumps and what loads are the same container but for their script.
    speaking = idle(site, "backup-database", "dump", {"/work": work})

    def run(*command: str) -> None:
        done = speaking.run(*command, seconds=600)
        assert done.returncode == 0, done.stderr

    plain = "export MYSQL_PWD=$KOLAB_PASSWORD_kolabdev; mysqldump -h $DB_HOST -u kolabdev --single-transaction kolabdev > /work/plain"
    load = "export MYSQL_PWD=$KOLAB_PASSWORD_kolabdev; mysql -h $DB_HOST -u kolabdev kolabdev < /work/plain"
    dumping = _ratio(
        "dump / mariadb-dump alone",
        lambda: run("/bin/bash", "/kolab/entry/dump.sh", "/work/dump", "kolabdev"),
        lambda: run("/bin/bash", "-c", plain),
        # Of two or three seconds each: what else the machine does counts for more.
        turns=7,
    )
    loading = _ratio(
        "load / mariadb alone",
        lambda: run("/bin/bash", "/kolab/entry/load.sh", "/work/dump", "kolabdev"),
        lambda: run("/bin/bash", "-c", load),
    )
    mariadb.containers["mariadb"].stop(60)
    assert dumping <= _MOST
    assert loading <= _MOST
