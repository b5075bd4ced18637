"""What the repository has of a mailbox, read by the container that backs mail up; the list of mailboxes by Cyrus' own tool."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ops.kubectl import Kubectl
from ops.mailbox import folders, plan
from ops.mailbox.folders import Folder, Mailbox
from ops.mailbox.plan import Box
from ops.snapshots import MAIL_KEEPER, Snapshot
from ops.stacks import StackProblem

CYRUS = ("imap-0", "imap")
"""The pod and the container of Cyrus."""
STAGE, STATE = "/work/stage", "/var/lib/imap"
"""Below the first, backups have copies of indexes and databases (components/scripts/backup/mail.sh)."""
_SCRIPTS = Path(__file__).parent / "scripts"
_KIB = 1024
_SOME = 64 * 1024
"""KiB beside the files themselves."""


def script(name: str) -> str:
    """The text of a script of ours. Raises FileNotFoundError when there is none."""
    return (_SCRIPTS / name).read_text("utf-8")


@dataclass(frozen=True)
class File:
    """A message of the backup. `came`: seconds since 1970, by its file."""

    folder: str
    uid: int
    came: int
    text: bytes


@dataclass(frozen=True)
class Source:
    """A snapshot, read on a cluster; `note` is told what is waited for."""

    cluster: Kubectl
    snapshot: Snapshot
    note: Callable[[str], None]

    def mailbox(self, address: str) -> Mailbox:
        """The folders of a mailbox. Raises StackProblem."""
        saved = f"{STAGE}{STATE}/mailboxes.db"
        command = ("restic", "dump", "--no-lock", "--quiet", self.snapshot.id, saved)
        with ExitStack() as opened:
            dump = opened.enter_context(self.cluster.stream(*MAIL_KEEPER, *command, note=self.note))
            text = ("/bin/bash", "-c", script("folders.sh"))
            lists = opened.enter_context(
                self.cluster.stream(*CYRUS, *text, note=self.note, source=dump.reader)
            )
            # The end of the one is the end of the other only when nobody else holds the pipe.
            dump.reader.close()
            listing = lists.reader.read().decode("utf-8", errors="replace")
            try:
                dump.end()
            except StackProblem as problem:
                raise StackProblem(f"the list of mailboxes of this backup does not come: {problem}") from None
            lists.end()
        return folders.read(listing, address)

    def boxes(self, mailbox: Mailbox) -> list[Box]:
        """Those folders with their indexes. Raises StackProblem."""
        wanted = folders.indexes(mailbox.folders, STAGE)
        return plan.boxes(mailbox, dict(self._files(wanted, 0)))

    def messages(self, found: Sequence[Box]) -> Iterator[File]:
        """Every message file of these folders, by folder and number. Raises StackProblem."""
        size = sum(box.size for box in found) // _KIB
        for path, member, text in self._members(folders.messages(_of(found)), size):
            folder, name = folders.file(path)
            if name[:-1].isdecimal():
                yield File(folder, int(name[:-1]), int(member.mtime), text)

    def _files(self, wanted: Sequence[str], size: int) -> Iterator[tuple[str, bytes]]:
        for path, _, text in self._members(wanted, size):
            yield path, text

    def _members(self, wanted: Sequence[str], size: int) -> Iterator[tuple[str, tarfile.TarInfo, bytes]]:
        """Files of the backup that fit to patterns; `size` is about what they take, KiB."""
        if not wanted:
            return
        command = ("/bin/sh", "-c", script("take.sh"), "take.sh", self.snapshot.id, str(size + _SOME))
        with self.cluster.stream(*MAIL_KEEPER, *command, note=self.note) as taking:
            taking.writer.write("".join(f"{each}\n" for each in wanted).encode())
            taking.writer.close()
            try:
                with tarfile.open(fileobj=taking.reader, mode="r|") as archive:
                    for member in archive:
                        content = archive.extractfile(member)
                        if content is not None:
                            yield member.name.removeprefix("."), member, content.read()
            except tarfile.TarError:
                # Cut off, or nothing at all: why is said by whoever wrote it.
                taking.reader.close()
                taking.end()
                raise StackProblem("the backup was read in part only; give the same command again") from None
            taking.end()


def _of(found: Sequence[Box]) -> list[Folder]:
    return [box.folder for box in found]
