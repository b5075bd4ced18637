"""`./kolab backup restore mail --mailbox`: what makes no sense is one sentence, and nothing comes."""

from __future__ import annotations

import datetime
import json
import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ops.__main__ import main
from ops.artisan import MARK
from ops.mailbox import folders
from ops.mailbox.carry import Carrier
from ops.mailbox.folders import Mailbox
from ops.mailbox.source import Source
from ops.stacks import StackProblem
from ops.stream import Stream
from tests.ops.cluster_of import FakeCluster, stand_in
from tests.ops.test_mailbox_parts import GOOD, NEW, SETTINGS, box, flipped

JANE = "jane@example.org"
SNAPSHOTS = [
    {"id": "a1b2c3d4e5", "time": "2026-11-24T01:30:00Z", "tags": ["mail"]},
    {"id": "b2c3d4e5f6", "time": "2026-11-25T01:30:00Z", "tags": ["mail"]},
    {"id": "c3d4e5f6a7", "time": "2026-11-25T09:00:00Z", "tags": ["before-restore-mail"]},
]
BOXES = {
    "example.org!user.jane": box(),
    "example.org!user.jane.Sent": box(id_="cd34"),
    "example.org!user.jane.#calendars.a": box("c"),
}


class Carried(Exception):
    """Something would have come."""


@pytest.fixture
def files() -> dict[str, bytes]:
    return {
        f"/work/stage/var/spool/imap/uuid/{id_[0]}/{id_[1]}/{id_}/cyrus.{name}": content
        for id_ in ("ab12", "cd34")
        for name, content in (("index", GOOD), ("header", NEW))
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> FakeCluster:
    def mailbox(self: Source, address: str) -> Mailbox:
        return folders.read(SETTINGS + json.dumps(BOXES), address)

    def members(
        self: Source, wanted: Sequence[str], size: int
    ) -> Iterator[tuple[str, tarfile.TarInfo, bytes]]:
        return ((path, tarfile.TarInfo(path), files[path]) for path in wanted if path in files)

    def carry(self: Carrier) -> Any:
        raise Carried(self.source.snapshot.id)

    monkeypatch.setattr(Source, "mailbox", mailbox)
    monkeypatch.setattr(Source, "_members", members)
    monkeypatch.setattr(Carrier, "carry", carry)
    people = f"{MARK}{json.dumps([0, f'1 {JANE} 34' + chr(10) + '2 joe@example.org 34'])}"
    return stand_in(monkeypatch, {"restic snapshots": json.dumps(SNAPSHOTS), "exec php": people}, "full")


def line(*words: str) -> list[str]:
    return ["backup", "restore", *words, "--stack", "x"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("mail", "--mailbox", "jane@elsewhere.test"), "jane@elsewhere.test: elsewhere.test is no domain of this stack"),
        (("mail", "--mailbox", "jane"), "'jane' is no mail address such as jane@example.org"),
        (("mail", "--mailbox", "x' * y@example.org"), "is no mail address"),
        (("mail", "--mailbox", "eve@example.org"), "there is no account eve@example.org, so its mail has nowhere to come back to"),
        (("mail", "--mailbox", "joe@example.org"), "this backup holds no mailbox joe@example.org; --to TIME takes an older one"),
        (("mail", "--mailbox", JANE, "--to", "yesterday"), "--to must be a time such as 2026-11-26T02:30, which is UTC"),
        (("mail", "--mailbox", JANE, "--to", "2026-11-01"), "no backup of mail is as old as 2026-11-01 00:00 UTC; the first is of"),
        (("mail", "--mailbox", JANE, "--before-restore", "--to", "2026-11-26"), "leave --to out"),
        (("database", "--mailbox", JANE), "--mailbox goes with mail alone"),
        (("mail", "--mailbox", JANE, "--before-migration"), "--mailbox goes with mail alone"),
        (("mail", "--mailbox", JANE, "--context", "staging"), "--context names another cluster than the stack, which runs in prod"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], why: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line(*words, *(() if "--context" in words else ("--context", "prod")))) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert why in said


def test_a_stack_without_backups_has_none_to_take_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = stand_in(monkeypatch, {}, "single-node")
    assert main(line("mail", "--mailbox", JANE, "--context", "prod")) == 1
    assert capsys.readouterr().err == "backup: kolab:backup names no repository, so there is no backup\n"
    assert asked.calls == []


def test_a_broken_index_names_its_folder_and_nothing_comes(
    files: dict[str, bytes], cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/work/stage/var/spool/imap/uuid/c/d/cd34/cyrus.index"
    files[path] = flipped(files[path], 170)
    assert main(line("mail", "--mailbox", JANE, "--context", "prod")) == 1
    assert capsys.readouterr().err == (
        "backup: the index of folder Sent cannot be read from this backup: the checksum of record 1 is wrong;"
        " nothing was changed, take another backup with --to\n"
    )


def test_the_preview_says_what_comes_what_does_not_and_the_way_back(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line("mail", "--mailbox", JANE)) == 0
    assert capsys.readouterr().out == (
        "Mailbox jane@example.org of namespace kolab in context prod gets back, in folders below Restored/2026-11-25, what it"
        " held at 2026-11-25 01:30 UTC (snapshot b2c3d4e5): 2 folders, 4 messages, 0.0 MiB. What is there now stays as it is,"
        " and mail keeps coming. Not brought back: annotations, filters, calendars and contacts (calendars: 1). The way back:"
        " delete that folder.\nNothing was changed. To go ahead, repeat it with --context prod\n"
    )


@pytest.mark.parametrize(
    ("words", "snapshot"),
    [((), "b2c3d4e5f6"), (("--to", "2026-11-24T12:00"), "a1b2c3d4e5"), (("--before-restore",), "c3d4e5f6a7")],
)
def test_the_backup_is_the_newest_or_of_a_time_or_what_a_restore_overwrote(
    words: tuple[str, ...], snapshot: str, cluster: FakeCluster
) -> None:
    with pytest.raises(Carried, match=snapshot):
        main(line("mail", "--mailbox", JANE, "--context", "prod", *words))
    # Nothing is stopped for it.
    assert {call[0] for call in cluster.calls} == {"exec"}


# A command that runs


def test_a_command_that_fails_says_its_reason_and_tells_notes_meanwhile() -> None:
    told: list[str] = []
    script = "echo alive >&2; echo 'note: waiting' >&2; echo 'restore: no room' >&2; echo 'command terminated with exit code 1' >&2; exit 1"
    with (
        Stream(("/bin/sh", "-c", script), told.append) as stream,
        pytest.raises(StackProblem, match=r"^no room$"),
    ):
        stream.end()
    assert told == ["waiting"]


def test_a_command_that_is_left_is_ended() -> None:
    begun = datetime.datetime.now(datetime.UTC)
    with Stream(("/bin/sleep", "600"), lambda _: None):
        pass
    assert (datetime.datetime.now(datetime.UTC) - begun).total_seconds() < 60


def test_a_command_that_reads_no_more_is_heard_nevertheless() -> None:
    with (
        Stream(("/bin/sh", "-c", "exec 0<&-; echo 'restore: full' >&2; exit 3"), lambda _: None) as stream,
        pytest.raises(StackProblem, match="full"),
    ):
        stream.end()
