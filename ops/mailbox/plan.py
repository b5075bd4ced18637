"""What of a saved mailbox comes back, where to, and in which order."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ops.mailbox import index
from ops.mailbox.folders import RESTORED, Folder, Mailbox, file
from ops.mailbox.index import Broken, Entry, Index
from ops.snapshots import Snapshot
from ops.stacks import StackProblem

_BATCH = 2**30
"""Bytes of messages that are read from the repository at once: beside the backup there is room for some (keeper.work)."""
MOST = 40 * 2**30
"""Bytes of one folder: more would fill that room, and a pod whose room is full is stopped."""
_MARK = "brought back from backup "


@dataclass(frozen=True)
class Box:
    """A folder of the backup, and the messages that its owner saw."""

    folder: Folder
    index: Index

    @cached_property
    def size(self) -> int:
        """Bytes of its messages."""
        return sum(each.size for each in self.index.entries)

    def entry(self, uid: int, came: int, size: int) -> Entry | None:
        """What is known about message `uid`, a file of the time `came`; None if its owner saw none (it was expunged)."""
        # Delivered while the backup was made: what `reconstruct` would enter, with the time of the file.
        late = Entry(uid, (), came, size, "") if uid > self.index.last_uid else None
        return self._known.get(uid, late)

    @cached_property
    def _known(self) -> dict[int, Entry]:
        return {each.uid: each for each in self.index.entries}


@dataclass(frozen=True)
class Quota:
    """Bytes that a mailbox takes, and may take."""

    used: int
    most: int


@dataclass(frozen=True)
class Target:
    """The folder below which a restore brings everything, and what marks it as that of one snapshot."""

    name: str
    mark: str

    def folder(self, box: Box) -> str:
        """Where the messages of a folder come."""
        return f"{self.name}/{box.folder.name}"


def boxes(mailbox: Mailbox, files: Mapping[str, bytes]) -> list[Box]:
    """Folders with their indexes. `files`: path in the backup -> content. Raises StackProblem for one that cannot be read."""
    found = {file(path): content for path, content in files.items()}
    made = []
    for folder in mailbox.folders:
        missing = [name for name in ("cyrus.header", "cyrus.index") if (folder.id, name) not in found]
        try:
            if missing:
                raise Broken(f"the backup has no {missing[0]} of it")
            read = index.read(found[folder.id, "cyrus.index"], found[folder.id, "cyrus.header"])
        except Broken as broken:
            raise StackProblem(
                f"the index of folder {folder.name} cannot be read from this backup: {broken}; nothing was changed,"
                " take another backup with --to"
            ) from None
        # What earlier restores lie below is none of the owner's, unless there is something in it.
        if folder.name != RESTORED or read.entries:
            made.append(Box(folder, read))
    return made


def targets(snapshot: Snapshot) -> tuple[Target, ...]:
    """Folders for a snapshot, the best first: those that another snapshot of the same day has already are passed over."""
    day = f"{RESTORED}/{snapshot.time:%Y-%m-%d}"
    names = (day, f"{day} {snapshot.time:%H.%M}", f"{day} {snapshot.id[:8]}")
    return tuple(Target(name, f"{_MARK}{snapshot.id}") for name in names)


def batches(found: Sequence[Box], most: int = _BATCH) -> Iterator[list[Box]]:
    """Folders that are read at once, in order; a larger one alone."""
    batch: list[Box] = []
    for box in found:
        if batch and sum(each.size for each in batch) + box.size > most:
            yield batch
            batch = []
        batch.append(box)
    if batch:
        yield batch


def refuse_too_large(found: Sequence[Box]) -> None:
    """Raises StackProblem for a folder that there is no room for."""
    for box in found:
        if box.size > MOST:
            raise StackProblem(
                f"folder {box.folder.name} has {box.size / 2**30:.0f} GiB, and there is room to read {MOST // 2**30} GiB at"
                " once; nothing was changed: restore all of the mail and fetch it by IMAP"
                " (docs/how-to/back-up-and-restore.md)"
            )


def preview(address: str, snapshot: Snapshot, mailbox: Mailbox, found: Sequence[Box], where: str) -> str:
    """What would be done, and what would not."""
    number = sum(len(box.index.entries) for box in found)
    kinds = ", ".join(f"{what}: {count}" for what, count in sorted(mailbox.left_out.items()))
    left = f" ({kinds})" if kinds else ""
    return (
        f"Mailbox {address} of {where} gets back, in folders below {targets(snapshot)[0].name}, what it held at"
        f" {snapshot.time:%Y-%m-%d %H:%M} UTC (snapshot {snapshot.id[:8]}): {len(found)} folders, {number} messages,"
        f" {sum(box.size for box in found) / 2**20:.1f} MiB. What is there now stays as it is, and mail keeps coming."
        f" Not brought back: annotations, filters, calendars and contacts{left}. The way back: delete that folder."
    )


def no_room(needed: int, quota: Quota | None, address: str) -> StackProblem | None:
    """Why `needed` bytes do not fit; None where they do."""
    if quota is None or quota.used + needed <= quota.most:
        return None
    free = max(quota.most - quota.used, 0)
    return StackProblem(
        f"{needed / 2**20:.1f} MiB come back and the quota of {address} leaves {free / 2**20:.1f} MiB; nothing was brought"
        f" back: give it {-(-(quota.used + needed) // 2**30)} GiB with ./kolab user quota, then repeat"
    )


def internal_date(seconds: int) -> str:
    """INTERNALDATE as APPEND takes it (RFC 9051: date-time), in UTC whatever the language of this machine."""
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[
        time.month - 1
    ]
    return f'"{time.day:2d}-{month}-{time:%Y %H:%M:%S} +0000"'
