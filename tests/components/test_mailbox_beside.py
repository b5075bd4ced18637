"""One mailbox comes back beside the living one: real Cyrus, real restic, our scripts of backups, and the command itself."""

from __future__ import annotations

import hashlib
import imaplib
import json
import multiprocessing
import os
import pwd
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components import entry
from ops.__main__ import main
from ops.mailbox import source
from ops.mailbox.session import Message, Session
from ops.stacks import StackFile
from tests.lab import programs
from tests.support.cyrus import PASSWORD, Cyrus, cyrus, needs_cyrus
from tests.support.deploy import Deployment
from tests.support.kubectl import Kubectl
from tests.support.sandbox import wait_for
from tests.support.stacks import deployment, stack

JANE, JOHN, DELETED, FULL, CUT, KILLED, LATE = (
    f"{name}@example.org" for name in ("jane.doe", "john", "deleted", "full", "cut", "killed", "late")
)
FOLDERS = ("INBOX", "Projects", "Projects/2026.x", "Entw&APw-rfe", "two words", "INBOX/x", "Sent")
FLAGS = ("", r"\Seen", r"\Seen \Flagged", r"\Answered $Important", r"\Draft NIL a&b[c", r"\Deleted a]b")
_TOOLS = ("awk", "cat", "cut", "find", "grep", "mkdir", "mktemp", "rm", "sleep", "sort", "tail", "touch", "tr")  # fmt: skip
"""Of busybox, as in restic's image; Debian's has no flock and no `tar -T`, and its shell takes no others than its own."""
Told = dict[str, list[tuple[str, ...]]]


@dataclass
class Site:
    """A pod of Cyrus, and a repository."""

    cyrus: Cyrus
    kubectl: Kubectl
    env: dict[str, str]

    def path(self, inside: str) -> str:
        return str(self.cyrus.sandbox.path(inside))

    def keep(self, tag: str = "mail") -> str:
        """One backup. Its id."""
        self.backup(tag)
        return str(self.restic("snapshots", "--tag", tag, "--latest", "1", "--json")[0]["id"])

    def backup(self, tag: str = "mail") -> str:
        """One backup by our own script, as the user to whom the data belongs. What it says."""
        places = [self.path(each) for each in ("/var/spool/imap", "/var/lib/imap", "/work/stage")]
        script = self.path("/kolab/backup/mail.sh")
        done = subprocess.run(
            ["runuser", "-u", "cyrus", "--", "sh", script, tag, *places],
            env=self.env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def restic(self, *words: str) -> Any:
        done = subprocess.run(
            ["restic", *words], env=self.env, capture_output=True, text=True, timeout=120, check=True
        )
        return json.loads(done.stdout)

    def login(self, user: str) -> imaplib.IMAP4:
        connection = imaplib.IMAP4("127.0.0.1", self.cyrus.sandbox.port(11143), timeout=60)
        connection.login(user, PASSWORD)
        return connection

    def fill(self, user: str, number: int, batch: str = "first") -> None:
        """Messages of all kinds in all folders."""
        connection = self.login(user)
        for folder in FOLDERS[1:]:
            connection.create(f'"{folder}"')
        for n in range(number):
            body = ("ä" * 9 + "x" * 60 + "\r\n") * (n * 37 % 400)
            text = f"From: a@example.org\r\nSubject: {batch} {n}\r\n\r\n{body}.\r\nk1 BYE {{5+}}\r\n".encode()
            date = f'"{n % 28 + 1:2d}-Feb-20{n % 30:02d} 0{n % 10}:30:1{n % 10} +0{n % 3}00"'
            flags = f"({FLAGS[n % len(FLAGS)]})"
            code, said = connection.append(f'"{FOLDERS[n % len(FOLDERS)]}"', flags, date, text)
            assert code == "OK", said
        connection.logout()

    def read(self, user: str) -> Told:
        """Folder -> for each message its number, flags, date and digest."""
        connection, found = self.login(user), {}
        for line in connection.list()[1]:
            assert isinstance(line, bytes)
            name = line.decode().rpartition(' "/" ')[2].strip('"')
            connection.select(f'"{name}"', readonly=True)
            _, parts = connection.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
            found[name] = [_message(*part) for part in parts if isinstance(part, tuple)]
        connection.logout()
        return found


def _message(head: bytes, text: bytes) -> tuple[str, ...]:
    said = head.decode()
    number, flags, date = (
        re.search(pattern, said)
        for pattern in (r"UID (\d+)", r"FLAGS \(([^)]*)\)", r'INTERNALDATE "([^"]*)"')
    )
    assert number is not None
    assert flags is not None
    assert date is not None
    kept = sorted(set(flags[1].split()) - {r"\Recent"})
    return number[1], " ".join(kept), date[1], hashlib.sha256(text).hexdigest()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    needs_cyrus()
    if not programs.program("restic").exists() and shutil.which("go") is None:
        pytest.skip("restic is built from Go modules, and there is no Go")
    programs.build(print, "restic")
    full = deployment("full")
    with cyrus(full, 10026) as running:
        yield _site(full, running)


def _site(full: Deployment, running: Cyrus) -> Site:
    sandbox, owner = running.sandbox, pwd.getpwnam("cyrus")
    work = f"{sandbox.root}/work/"
    for name, text in full.folder("imap", "backup-mail", entry.PATH).items():
        sandbox.put(f"/kolab/backup/{name}", "").write_text(re.sub(r"(?<![\w./])/work/", work, text))
    for folder in ("/work/cache", "/repository", "/tools"):
        sandbox.path(folder).mkdir(parents=True)
        shutil.chown(sandbox.path(folder), owner.pw_uid, owner.pw_gid)
    shutil.chown(work, owner.pw_uid, owner.pw_gid)
    shutil.copy(programs.program("restic"), sandbox.path("/tools/restic"))
    for tool in _TOOLS if Path("/bin/busybox").exists() else ():
        sandbox.path(f"/tools/{tool}").symlink_to("/bin/busybox")
    env = {
        "PATH": f"{sandbox.path('/tools')}:/usr/sbin:/usr/bin:/sbin:/bin",
        "RESTIC_REPOSITORY": str(sandbox.path("/repository")),
        "RESTIC_PASSWORD": "the key of the backups",
        "RESTIC_CACHE_DIR": f"{work}cache",
        "KOLAB_SCRIPTS": str(sandbox.path("/kolab/backup")),
        "KOLAB_WORK": work.rstrip("/"),
        "TMPDIR": work,
        "HOME": work,
    }
    inside = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "IMAPD_CONF": str(sandbox.path("/etc/imapd.conf")),
    }
    people = "".join(
        f"{n} {address} 34\n" for n, address in enumerate((JANE, JOHN, DELETED, FULL, CUT, KILLED, LATE))
    )
    answers = {"webapp": "\x1e" + json.dumps([0, people])}
    stand_in = Kubectl(sandbox.root / "kubectl", sandbox.root, {"backup-mail": env, "imap": inside}, answers)
    return Site(running, stand_in, env)


@pytest.fixture(autouse=True)
def command(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds this pod where the cluster is."""
    site.kubectl.put()
    monkeypatch.setenv("PATH", f"{site.kubectl.folder}:{os.environ['PATH']}")
    monkeypatch.setattr(StackFile, "read", classmethod(lambda cls, given: _File()))
    monkeypatch.setattr(source, "STAGE", site.path("/work/stage"))
    monkeypatch.setattr(source, "STATE", site.path("/var/lib/imap"))


class _File:
    def settings(self) -> tuple[Any, tuple[()]]:
        return stack("full"), ()


def restore(address: str, *more: str, context: str | None = "prod") -> int:
    words = ["backup", "restore", "mail", "--mailbox", address, "--stack", "x", *more]
    return main([*words, "--context", context] if context else words)


def below(told: Told, top: str) -> Told:
    """What lies below a folder, without the numbers of messages: those are others there."""
    return {
        name.removeprefix(f"{top}/"): [each[1:] for each in messages]
        for name, messages in told.items()
        if name.startswith(f"{top}/")
    }


def without_numbers(told: Told) -> Told:
    return {name: [each[1:] for each in messages] for name, messages in told.items()}


def living(told: Told) -> Told:
    return {name: messages for name, messages in told.items() if not name.startswith("Restored")}


def tops(told: Told) -> list[str]:
    return sorted(name for name in told if re.fullmatch(r"Restored/[^/]*", name))


def test_a_changed_mailbox_comes_back_beside_the_living_one(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.fill(JANE, 90)
    site.fill(JOHN, 20, "john")
    connection = site.login(JANE)
    # Larger than a pipe holds.
    connection.append("Sent", None, None, b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 300_000)
    connection.select("INBOX")
    connection.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
    connection.uid("EXPUNGE", "1")
    connection.logout()
    saved, john = site.read(JANE), site.read(JOHN)
    snapshot = site.keep()
    # What happens later: messages go, others come, flags change, a folder is deleted.
    connection = site.login(JANE)
    connection.select("INBOX")
    connection.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
    connection.expunge()
    connection.select("Sent")
    connection.uid("STORE", "1:*", "FLAGS", "(other)")
    connection.close()
    connection.delete('"Projects/2026.x"')
    connection.append("INBOX", None, None, b"Subject: later\r\n\r\nlater\r\n")
    connection.logout()
    now = site.read(JANE)

    assert restore(JANE, context=None) == 0
    said = capsys.readouterr().out
    assert re.search(
        rf"in folders below Restored/\d{{4}}-\d\d-\d\d, .*\(snapshot {snapshot[:8]}\): 9 folders, 90 messages",
        said,
    )
    assert "Nothing was changed. To go ahead, repeat it with --context prod" in said
    assert site.read(JANE) == now

    assert restore(JANE) == 0
    told = site.read(JANE)
    (top,) = tops(told)
    assert below(told, top) == without_numbers(saved)
    assert living(told) == now
    assert site.read(JOHN) == john
    assert f"back below {top}, with 90 messages (0 of them were there already)" in capsys.readouterr().out
    # Programs that show subscribed folders show these.
    connection = site.login(JANE)
    assert any(f"{top}/Sent".encode() in line for line in connection.lsub()[1] if isinstance(line, bytes))
    connection.logout()

    # Once more: nothing comes twice.
    assert restore(JANE) == 0
    assert site.read(JANE) == told
    assert "with 90 messages (90 of them were there already)" in capsys.readouterr().out

    # Another backup of the same day has a folder of its own, and what a restore brought is not brought again.
    site.keep()
    assert restore(JANE) == 0
    again = site.read(JANE)
    first, second = tops(again)
    assert (first, second[:-6]) == (top, top)
    assert below(again, second) == without_numbers(now)
    assert below(again, first) == below(told, top)
    assert "folders of earlier restores" in capsys.readouterr().out
    assert not list(site.cyrus.sandbox.path("/work").glob("mailbox.*"))


def test_no_secret_is_in_a_command_that_runs_in_a_container(site: Site) -> None:
    assert site.env["RESTIC_PASSWORD"] not in site.kubectl.calls


def test_a_mailbox_that_is_no_more_comes_back_into_a_new_one(site: Site) -> None:
    site.fill(DELETED, 30)
    saved = site.read(DELETED)
    site.keep()
    admin = site.login("cyrus-admin")
    name = f'"user/{DELETED}"'
    assert admin.setacl(name, "cyrus-admin", "lrswipkxtecda")[0] == "OK"
    assert admin.delete(name)[0] == "OK"
    admin.logout()
    assert restore(DELETED) == 0
    told = site.read(DELETED)
    assert below(told, tops(told)[0]) == without_numbers(saved)
    assert not told["INBOX"]


def test_what_came_while_the_backup_was_made_comes_back_without_flags_and_what_was_expunged_does_not(
    site: Site,
) -> None:
    site.fill(LATE, 14)
    saved = site.read(LATE)
    (header,) = [
        path
        for path in Path(site.path("/var/spool/imap")).rglob("cyrus.header")
        if b" N example.org!user.late I " in path.read_bytes()
    ]
    text = b"Subject: late\r\n\r\nlate\r\n"
    added = [header.with_name(f"{number}.") for number in (1000, 0)]
    for file in added:
        file.write_bytes(text)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        shutil.chown(file, "cyrus")
    site.keep()
    for file in added:
        file.unlink()
    assert restore(LATE) == 0
    told = site.read(LATE)
    late = ("", "14-Nov-2023 22:13:20 +0000", hashlib.sha256(text).hexdigest())
    wanted = without_numbers(saved)
    assert below(told, tops(told)[0]) == wanted | {"INBOX": [*wanted["INBOX"], late]}


def test_a_backup_does_not_wait_for_statistics_that_never_rest(site: Site) -> None:
    counted, over = site.cyrus.sandbox.put("/var/lib/imap/stats/of-a-process", "0"), threading.Event()

    def count() -> None:
        while not over.wait(0.1):
            counted.write_text(str(time.monotonic()))

    writer = threading.Thread(target=count)
    writer.start()
    try:
        assert "never rested" not in site.backup()
    finally:
        over.set()
        writer.join()


def test_a_restore_that_is_cut_short_goes_on_where_it_was(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.fill(CUT, 60)
    saved = site.read(CUT)
    site.keep()
    brought = []
    for cut in (35, 800, 3_000, 60_000, 400_000):
        site.kubectl.put(cut={"imap": cut})
        assert restore(CUT) == 1
        (said,) = [
            line for line in capsys.readouterr().err.splitlines() if not line.startswith("backup: Restored")
        ]
        assert said.startswith("backup: Cyrus has ended the session (")
        assert "give the same command again" in said
        brought.append(sum(map(len, below(site.read(CUT), "Restored").values())))
    assert brought == sorted(brought)
    assert 0 < brought[-1] < 60
    site.kubectl.put()
    assert restore(CUT) == 0
    told = site.read(CUT)
    assert {name: sorted(each) for name, each in below(told, tops(told)[0]).items()} == {
        name: sorted(each) for name, each in without_numbers(saved).items()
    }
    assert living(told) == saved


def test_a_restore_that_is_killed_is_completed_by_the_same_command(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.fill(KILLED, 60)
    saved = site.read(KILLED)
    site.keep()
    append = Session.append

    def slowly(self: Session, messages: Iterable[Message]) -> Iterator[tuple[Message, str | None]]:
        for each in append(self, messages):
            time.sleep(0.2)
            yield each

    with monkeypatch.context() as patched:
        patched.setattr(Session, "append", slowly)
        process = multiprocessing.get_context("fork").Process(target=restore, args=(KILLED,))
        process.start()
    wait_for(lambda: sum(map(len, below(site.read(KILLED), "Restored").values())) >= 5, 300)
    process.kill()
    process.join()
    assert 0 < sum(map(len, below(site.read(KILLED), "Restored").values())) < 60
    assert restore(KILLED) == 0
    told = site.read(KILLED)
    assert below(told, tops(told)[0]) == without_numbers(saved)
    assert living(told) == saved
    assert not list(site.cyrus.sandbox.path("/work").glob("mailbox.*"))


def test_what_does_not_fit_into_the_quota_is_told_before_anything_comes(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.fill(FULL, 30)
    saved = site.read(FULL)
    site.keep()
    admin = site.login("cyrus-admin")
    assert admin.setquota(f'"user/{FULL}"', "(STORAGE 500)")[0] == "OK"
    admin.logout()
    assert restore(FULL) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        rf"backup: [\d.]+ MiB come back and the quota of {FULL} leaves [\d.]+ MiB; nothing was brought back: give it 1 GiB"
        r" with \./kolab user quota, then repeat",
        said,
    )
    assert living(site.read(FULL)) == saved
    assert not any(below(site.read(FULL), "Restored").values())
