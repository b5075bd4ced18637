"""One mailbox out of a backup: what Cyrus' files say, where things come, what is said to IMAP. No pipe, no clock."""

from __future__ import annotations

import datetime
import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from ops.mailbox import folders, index, plan, words
from ops.mailbox.folders import Folder, Mailbox
from ops.mailbox.index import Broken, Entry, Index
from ops.mailbox.plan import Box, Quota
from ops.mailbox.session import Gone, Message, Refused, Session, append_line
from ops.snapshots import Snapshot
from ops.stacks import StackProblem

HEADER = (
    b'\xa1\x02\x8b\rCyrus mailbox header\n"The best thing about this system was that it had lots of goals."\n'
    b"\t--Jim Morris on Andrew\n"
)
NEW = (
    HEADER
    + b'%(T e N example.org!user.jane I abc Q example.org!user.jane A %(jane@example.org lrs) U ($Important NIL "NIL" x.y))\n'
)
OLD = HEADER + b"user.jane\tabc\n$Important  NIL x.y\njane\tlrs\t\n"
LENGTHS = {12: (128, 96), 13: (128, 104), 14: (160, 104), 15: (160, 104), 16: (160, 112), 17: (160, 112), 18: (160, 112), 19: (160, 112)}  # fmt: skip
SNAPSHOT = Snapshot("a1b2c3d4e5f6", "mail", datetime.datetime(2026, 11, 25, 1, 31, tzinfo=datetime.UTC), 1)


def sealed(part: bytes) -> bytes:
    return part[:-4] + struct.pack(">I", zlib.crc32(part[:-4]))


def record(version: int, uid: int, flags: int = 0, own: int = 0, date: int = 1_580_547_600) -> bytes:
    made = bytearray(LENGTHS[version][1])
    struct.pack_into(">4I", made, 0, uid, date, 0, 47)
    struct.pack_into(">5I", made, 32, flags, own, 0, 0, 0)
    made[60:80] = bytes([uid % 256]) * 20
    return sealed(bytes(made))


def written(version: int, *records: bytes, last_uid: int = 9) -> bytes:
    head = bytearray(LENGTHS.get(version, (160, 112))[0])
    struct.pack_into(
        ">8I",
        head,
        0,
        0,
        0,
        version,
        len(head),
        LENGTHS.get(version, (160, 112))[1],
        len(records),
        0,
        last_uid,
    )
    return sealed(bytes(head)) + b"".join(records)


# cyrus.index and cyrus.header


@pytest.mark.parametrize("version", LENGTHS)
def test_messages_have_their_flags_and_dates_in_every_version(version: int) -> None:
    expunged, unlinked = record(version, 2, 1 << 31), record(version, 3, 1 << 30)
    file = written(
        version, record(version, 1, 1 << 4 | 1 << 1, 0b1001), expunged, unlinked, record(version, 7, 1 << 2)
    )
    assert index.read(file, NEW) == Index(
        9,
        (
            Entry(1, (r"\Flagged", r"\Seen", "$Important", "x.y"), 1_580_547_600, 47, "01" * 20),
            Entry(7, (r"\Deleted",), 1_580_547_600, 47, "07" * 20),
        ),
    )


@pytest.mark.parametrize("header", [NEW, OLD], ids=["lists", "lines"])
def test_flags_keep_their_numbers_where_one_was_removed(header: bytes) -> None:
    assert index.flag_names(header) == ("$Important", None, "NIL", "x.y")


def test_a_folder_without_flags_of_its_own_has_none() -> None:
    assert index.flag_names(HEADER + b"%(T e I abc U ())\n") == ()
    assert index.flag_names(HEADER + b"%(T e I abc)\n") == ()


def flipped(file: bytes, at: int) -> bytes:
    return file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :]


GOOD = written(17, record(17, 1), record(17, 2))


@pytest.mark.parametrize(
    ("file", "header", "why"),
    [
        (b"", NEW, "it is cut off"),
        (GOOD[:11], NEW, "it is cut off"),
        (GOOD[:100], NEW, "it is cut off"),
        (GOOD[:-1], NEW, "it is cut off"),
        (bytes(4096), NEW, "it has version 0, of which 12 to 19 can be read"),
        (written(11), NEW, "it has version 11"),
        (written(20), NEW, "it has version 20"),
        (flipped(GOOD, 15), NEW, "its records do not have the length of version 17"),
        (flipped(GOOD, 19), NEW, "its records do not have the length of version 17"),
        (flipped(GOOD, 60), NEW, "the checksum of its header is wrong"),
        (flipped(GOOD, 160 + 112 + 33), NEW, "the checksum of record 2 is wrong"),
        (written(17, record(17, 2), record(17, 1)), NEW, "its messages are not in order"),
        (written(17, record(17, 2), record(17, 2)), NEW, "its messages are not in order"),
        (GOOD, b"", "cyrus.header does not begin like one"),
        (GOOD, b"\x00" * 300, "cyrus.header does not begin like one"),
        (GOOD, HEADER + b"%(T e U (a b", "cyrus.header cannot be read"),
        (GOOD, HEADER + b"%(T e U (a {9+}\r\nb))\n", "cyrus.header cannot be read"),
        (GOOD, HEADER + b"%(T e U)\n", "cyrus.header cannot be read"),
        (GOOD, HEADER + b"%(U (\xff))\n", "cyrus.header cannot be read"),
        (GOOD, HEADER + b"%" + b"(" * 5000, "cyrus.header cannot be read"),
        (GOOD, HEADER + b"%(U (" + b"a " * 129 + b"))\n", "cyrus.header names too many flags"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_its_fault(file: bytes, header: bytes, why: str) -> None:
    with pytest.raises(Broken, match=why):
        index.read(file, header)


def test_a_message_without_an_entry_came_while_the_backup_was_made_or_was_expunged() -> None:
    box = Box(Folder("INBOX", "abc", ()), Index(9, (Entry(3, (r"\Seen",), 5, 47, "aa"),)))
    assert box.entry(3, 99, 47) == Entry(3, (r"\Seen",), 5, 47, "aa")
    assert box.entry(10, 99, 48) == Entry(10, (), 99, 48, "")
    assert box.entry(4, 99, 47) is None


# The list of mailboxes


def box(kind: str = "e", id_: str = "ab12", partition: str = "default") -> dict[str, Any]:
    return {"mbtype": kind, "uniqueid": id_, "partition": partition, "acl": {}}


SETTINGS = (
    "defaultdomain: internal\npartition-default: /var/spool/imap/\nmetapartition-default: /var/spool/imap/\n"
    "archivepartition-default: /archive\npartition-other: /other\n"
)


def listed(boxes: dict[str, Any], settings: str = SETTINGS) -> str:
    return settings + json.dumps(boxes)


def test_folders_have_the_names_that_their_owner_sees_and_nobody_elses_are_among_them() -> None:
    found = folders.read(
        listed(
            {
                "example.org!user.jane^doe": box(),
                "example.org!user.jane^doe.Projects.2026^x": box(id_="cd34", partition="other"),
                "example.org!user.jane^doe.INBOX.x": box(id_="ef56"),
                "example.org!user.jane^doey": box(),
                "example.org!user.jane": box(),
                "example.net!user.jane^doe": box(),
                "example.org!DELETED.user.jane^doe.Old.6540": box(),
            }
        ),
        "jane.doe@example.org",
    )
    assert [each.name for each in found.folders] == ["INBOX", "INBOX/x", "Projects/2026.x"]
    assert found.folders[0].places == ("/var/spool/imap", "/archive")
    assert found.folders[2].below == ("/other/uuid/c/d/cd34",)


def test_users_of_the_default_domain_have_no_domain_in_their_folders() -> None:
    text = listed({"user.jane": box()}, SETTINGS.replace("internal", "example.org"))
    assert [each.name for each in folders.read(text, "jane@example.org").folders] == ["INBOX"]


def test_what_is_no_mail_is_left_out_and_counted() -> None:
    kinds = {
        "": "e",
        ".#calendars.a": "c",
        ".#addressbooks.b": "a",
        ".#sieve": "f",
        ".Old": "el",
        ".Restored": "e",
        ".Restored.2026-11-24": "e",
        ".Restored.2026-11-24 01^30.INBOX": "e",
        ".Restored.2026-11-24-mine": "e",
        ".between": "ei",
        ".gone": "d",
    }
    boxes = {f"example.org!user.jane{name}": box(kind) for name, kind in kinds.items()}
    boxes["example.org!user.jane.odd"] = box(id_="../../etc")
    boxes["example.org!user.jane.far"] = box(partition="elsewhere")
    found = folders.read(listed(boxes), "jane@example.org")
    assert [each.name for each in found.folders] == ["INBOX", "Restored", "Restored/2026-11-24-mine"]
    assert found.left_out == {
        "address books": 1,
        "calendars": 1,
        "folders in a layout from before Cyrus 3.6": 1,
        "folders of earlier restores": 2,
        "folders of other programs": 1,
        "folders whose files cannot be found": 2,
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot be read; take another with --to"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"example.org!user.jane": 1}', "cannot be read"),
        ("{}", "this backup holds no mailbox jane@example.org; --to TIME takes an older one"),
        (listed({"example.org!user.jane^doe": box()}), "holds no mailbox jane@example.org"),
    ],
)
def test_a_list_without_the_mailbox_is_refused(text: str, why: str) -> None:
    with pytest.raises(StackProblem, match=why):
        folders.read(text, "jane@example.org")


def test_indexes_are_looked_for_among_the_copies_and_messages_in_the_spool() -> None:
    one = Folder("INBOX", "ab12", ("/var/spool/imap",))
    assert folders.indexes([one], "/work/stage") == [
        "/work/stage/var/spool/imap/uuid/a/b/ab12/cyrus.header",
        "/work/stage/var/spool/imap/uuid/a/b/ab12/cyrus.index",
    ]
    assert folders.messages([one]) == ["/var/spool/imap/uuid/a/b/ab12/*."]
    assert folders.file("/var/spool/imap/uuid/a/b/ab12/17.") == ("ab12", "17.")


# The plan


def boxed(name: str, *sizes: int) -> Box:
    entries = tuple(Entry(n + 1, (), 0, size, f"{n:040x}") for n, size in enumerate(sizes))
    return Box(Folder(name, name.lower(), ()), Index(len(sizes), entries))


def test_small_folders_are_read_together_and_a_large_one_alone() -> None:
    found = [boxed("a", 4), boxed("b", 5), boxed("c"), boxed("d", 2), boxed("e", 99), boxed("f", 1)]
    names = [[each.folder.name for each in batch] for batch in plan.batches(found, 10)]
    assert names == [["a", "b", "c"], ["d"], ["e"], ["f"]]
    assert list(plan.batches([], 10)) == []


def test_a_folder_that_there_is_no_room_for_is_refused() -> None:
    plan.refuse_too_large([boxed("a", plan.MOST)])
    with pytest.raises(StackProblem, match="folder a has 40 GiB, and there is room to read 40 GiB at once"):
        plan.refuse_too_large([boxed("a", plan.MOST, 1)])


def test_a_folder_of_a_restore_is_called_by_the_day_then_by_the_time_then_by_the_snapshot() -> None:
    assert [each.name for each in plan.targets(SNAPSHOT)] == [
        "Restored/2026-11-25",
        "Restored/2026-11-25 01.31",
        "Restored/2026-11-25 a1b2c3d4",
    ]
    assert {each.mark for each in plan.targets(SNAPSHOT)} == {"brought back from backup a1b2c3d4e5f6"}


@pytest.mark.parametrize("missing", ["cyrus.header", "cyrus.index"])
def test_a_folder_whose_files_are_not_in_the_backup_is_refused(missing: str) -> None:
    files = {"/s/uuid/a/b/ab12/cyrus.header": NEW, "/s/uuid/a/b/ab12/cyrus.index": GOOD}
    whole = Mailbox((Folder("INBOX", "ab12", ("/s",)),), {})
    assert len(plan.boxes(whole, files)[0].index.entries) == 2
    del files[f"/s/uuid/a/b/ab12/{missing}"]
    with pytest.raises(
        StackProblem, match=f"index of folder INBOX .* the backup has no {missing} of it; nothing was changed"
    ):
        plan.boxes(whole, files)


@pytest.mark.parametrize(
    ("needed", "quota", "fits"),
    [
        (5, None, True),
        (5, Quota(5, 10), True),
        (6, Quota(5, 10), False),
        (1, Quota(11, 10), False),
        (0, Quota(10, 10), True),
    ],
)
def test_a_quota_is_minded(needed: int, quota: Quota | None, fits: bool) -> None:
    assert (plan.no_room(needed, quota, "jane@example.org") is None) is fits


def test_who_has_no_room_is_told_how_many_gibibytes_are_enough() -> None:
    problem = plan.no_room(3 * 2**29, Quota(2**30, 2**30), "jane@example.org")
    assert str(problem).endswith(
        "leaves 0.0 MiB; nothing was brought back: give it 3 GiB with ./kolab user quota, then repeat"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, '" 1-Jan-1970 00:00:00 +0000"'), (1_764_288_061, '"28-Nov-2025 00:01:01 +0000"'), (2**32 - 1, '" 7-Feb-2106 06:28:15 +0000"')],
)  # fmt: skip
def test_dates_are_written_as_imap_has_them(seconds: int, text: str) -> None:
    assert plan.internal_date(seconds) == text


# IMAP


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"* 1 FETCH (UID 7 DIGEST.SHA1 ab)\r\n", [b"*", b"1", b"FETCH", [b"UID", b"7", b"DIGEST.SHA1", b"ab"]]),
        (b'* METADATA "a \\"b\\\\" (/shared/comment NIL)', [b"*", b"METADATA", b'a "b\\', [b"/shared/comment", None]]),
        (b"a {3}\r\n) (", [b"a", b") ("]),
        (b"a {3+}\nb c d", [b"a", b"b c", b"d"]),
        (b'%(U ("NIL" NIL) T e)', [[b"U", [b"NIL", None], b"T", b"e"]]),
        (b"", []),
        (b"100% x%y", [b"100%", b"x%y"]),
    ],
)  # fmt: skip
def test_words_are_read(text: bytes, found: list[words.Word]) -> None:
    assert words.read(text) == found


@pytest.mark.parametrize("text", [b"(", b"a)", b"(a", b"%(a", b'"a', b"{5}\r\nab", b"(" * 10_000, b'"a\r\n"'])
def test_what_is_no_line_of_words_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its only kind, and nobody reads its text
        words.read(text)


@pytest.mark.parametrize("name", ["a\r\nk9 DELETE INBOX", "a\nb", "ä", "\x00", "\x7f"])
def test_a_name_cannot_become_a_command(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a folder"):
        words.quoted(name)


def test_a_message_is_announced_with_the_flags_that_clients_may_set() -> None:
    message = Message('a"b', 1, (r"\Seen", "$Important", "a]b", "a b", "x)", "ä", ""), 0, b"12345")
    assert append_line(message) == b'APPEND "a\\"b" (\\Seen $Important a]b) " 1-Jan-1970 00:00:00 +0000" {5}'


def said(answers: bytes, act: Callable[[Session], Any]) -> tuple[Any, bytes]:
    """What comes of a dialogue, and what was sent."""
    writer = io.BytesIO()
    return act(Session(io.BytesIO(answers), writer)), writer.getvalue()


def messages(*texts: bytes) -> list[Message]:
    return [Message("R", number, (), 0, text) for number, text in enumerate(texts, 1)]


def test_a_message_that_is_refused_is_never_sent_and_cannot_be_taken_for_commands() -> None:
    bad = b"x DELETE INBOX\r\n"
    answers = (
        b"+ go\r\nk1 OK done\r\nk2 NO [TOOBIG] too large\r\n+ go\r\n* 2 EXISTS\r\nk3 NO bare newlines\r\n"
    )
    outcome, sent = said(answers, lambda session: list(session.append(messages(b"one", bad, b"three"))))
    assert [(each.uid, why) for each, why in outcome] == [
        (1, None),
        (2, "NO [TOOBIG] too large"),
        (3, "NO bare newlines"),
    ]
    assert bad not in sent
    assert b"one\r\nk2 APPEND" in sent
    assert sent.endswith(b"{5}\r\nthree\r\n")


@pytest.mark.parametrize(
    "answers", [b"", b"* BYE shutdown\r\n", b"+ go\r\n", b"+ go\r\nk1 O", b"+ go\r\n* BYE dying\r\nk1 OK\r\n"]
)
def test_a_session_that_ends_is_one_sentence_with_the_way_on(answers: bytes) -> None:
    with pytest.raises(Gone, match=r"Cyrus has ended the session \(.*\); give the same command again"):
        said(answers, lambda session: list(session.append(messages(b"one"))))


def test_what_is_in_a_folder_is_known_by_digests_each_as_often_as_it_is_there() -> None:
    answers = b"* 3 EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] Ok\r\nk1 OK [READ-ONLY]\r\n" + b"".join(
        b"* %d FETCH (UID %d DIGEST.SHA1 %s)\r\n" % (n, n, digest)
        for n, digest in ((1, b"aa"), (2, b"bb"), (3, b"aa"))
    )
    found, _ = said(answers + b"k2 OK\r\n", lambda session: session.digests("R"))
    assert found == {"aa": 2, "bb": 1}
    assert said(b"* 0 EXISTS\r\nk1 OK\r\n", lambda session: session.digests("R"))[0] == {}
    assert said(b"k1 NO none\r\n", lambda session: session.digests("R"))[0] is None


@pytest.mark.parametrize(
    ("answers", "mark"),
    [
        (b'* METADATA R ("/shared/comment" "mine")\r\nk1 OK\r\n', "mine"),
        (b'* METADATA R ("/shared/comment" {6}\r\na "b" )\r\nk1 OK\r\n', 'a "b" '),
        (b'* METADATA R ("/shared/comment" NIL)\r\nk1 OK\r\n', ""),
        (b"k1 OK\r\n", ""),
        (b"k1 NO no such mailbox\r\n", None),
    ],
)
def test_the_mark_of_a_folder_is_read(answers: bytes, mark: str | None) -> None:
    assert said(answers, lambda session: session.mark("R"))[0] == mark


@pytest.mark.parametrize(
    ("answers", "quota"),
    [
        (
            b"* QUOTAROOT INBOX INBOX\r\n* QUOTA INBOX (STORAGE 10 50)\r\nk1 OK\r\n",
            Quota(10 * 1024, 50 * 1024),
        ),
        (b"* QUOTA INBOX (MESSAGE 1 2 STORAGE 60 50)\r\nk1 OK\r\n", Quota(60 * 1024, 50 * 1024)),
        (b"* QUOTAROOT INBOX\r\nk1 OK\r\n", None),
    ],
)
def test_a_quota_is_read(answers: bytes, quota: Quota | None) -> None:
    assert said(answers, lambda session: session.quota())[0] == quota


def test_a_folder_that_cyrus_does_not_make_says_why() -> None:
    with pytest.raises(Refused, match="NO Invalid mailbox name"):
        said(b"k1 NO Invalid mailbox name\r\n", lambda session: session.create("R"))
