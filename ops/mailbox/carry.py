"""Carries messages from the repository into Cyrus. Run again it goes on: what is there already does not come twice."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ops.mailbox import plan
from ops.mailbox.folders import RESTORED
from ops.mailbox.plan import Box, Target
from ops.mailbox.session import Gone, Message, Refused, Session
from ops.mailbox.source import CYRUS, File, Source, script
from ops.stacks import StackProblem

_PAUSE = 5
"""Seconds from one word about progress to the next."""


@dataclass
class Outcome:
    """What has come back so far."""

    brought: int = 0
    there: int = 0
    """Brought by an earlier run."""
    refused: list[str] = field(default_factory=list)
    """Folder, number and reason."""


@dataclass
class Carrier:
    """One restore into one mailbox. Every method raises StackProblem."""

    source: Source
    address: str
    found: Sequence[Box]
    outcome: Outcome = field(default_factory=Outcome)
    _there: dict[str, Counter[str]] = field(default_factory=dict)
    """Folder -> digests of what it held at the beginning, without what was found in the backup since."""
    _arrived: dict[str, Counter[str]] = field(default_factory=dict)
    """Folder -> digests of what it should hold at the end."""

    def carry(self) -> Target:
        """All of it. The folder below which it is."""
        batches = list(plan.batches(self.found))
        with self._session() as session:
            target = _target(session, plan.targets(self.source.snapshot))
            self._look(session, target)
            problem = plan.no_room(self._needed(target), session.quota(), self.address)
        if problem:
            raise problem
        for batch in batches:
            self._bring(target, batch)
        with self._session() as session:
            self._look_again(session)
        return target

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """IMAP as the owner of the mailbox."""
        cluster = self.source.cluster
        with cluster.stream(*CYRUS, "/bin/bash", "-c", script("session.sh"), note=say) as stream:
            session = Session(stream.reader, stream.writer)
            try:
                session.login(self.address)
                yield session
                session.logout()
            except Gone as gone:
                try:
                    stream.end()
                except StackProblem as why:
                    raise StackProblem(f"{gone} ({why})") from None
                raise

    def _look(self, session: Session, target: Target) -> None:
        """Learns what an earlier run has brought, and makes folders that are missing."""
        for box in self.found:
            name = target.folder(box)
            digests = session.digests(name)
            if digests is None:
                try:
                    session.create(name)
                except Refused as refused:
                    raise StackProblem(f"Cyrus makes no folder {name}: {refused}") from None
            self._there[name] = digests or Counter()

    def _needed(self, target: Target) -> int:
        """Bytes of messages that are not there yet."""
        needed = 0
        for box in self.found:
            left = Counter(self._there[target.folder(box)])
            for entry in box.index.entries:
                left[entry.guid] -= 1
                needed += entry.size if left[entry.guid] < 0 else 0
        return needed

    def _bring(self, target: Target, batch: Sequence[Box]) -> None:
        """The messages of some folders; one that an index names and the backup does not hold is told like a refused one."""
        boxes = {box.folder.id: box for box in batch}
        missing = {(box.folder.id, entry.uid) for box in batch for entry in box.index.entries}
        total, begun = len(missing), time.monotonic()
        said = begun

        def wanted() -> Iterator[Message]:
            for file in self.source.messages(batch):
                missing.discard((file.folder, file.uid))
                message = self._wanted(target, boxes[file.folder], file)
                if message:
                    yield message

        with self._session() as session:
            for message, refusal in session.append(wanted()):
                if refusal:
                    self._arrived[message.folder][digest(message.text)] -= 1
                    self.outcome.refused.append(f"{message.folder}, message {message.uid}: {refusal}")
                else:
                    self.outcome.brought += 1
                if time.monotonic() - said > _PAUSE:
                    said = time.monotonic()
                    done = total - len(missing)
                    say(f"{message.folder}: {done} of {total} messages after {said - begun:.0f} s")
        self.outcome.refused += [
            f"{target.folder(boxes[folder])}, message {uid}: the backup names it and does not hold it"
            for folder, uid in sorted(missing)
        ]

    def _wanted(self, target: Target, box: Box, file: File) -> Message | None:
        """The message of a file, if its owner saw it and it is not there yet."""
        entry = box.entry(file.uid, file.came, len(file.text))
        if entry is None:
            return None
        name, own = target.folder(box), digest(file.text)
        self._arrived.setdefault(name, Counter())[own] += 1
        if self._there[name][own] > 0:
            self._there[name][own] -= 1
            self.outcome.there += 1
            return None
        return Message(name, file.uid, entry.flags, entry.date, file.text)

    def _look_again(self, session: Session) -> None:
        """Whether each folder holds, byte for byte, what it should."""
        for name, wanted in self._arrived.items():
            lost = wanted - (session.digests(name) or Counter())
            if lost:
                raise StackProblem(
                    f"{name} does not hold {lost.total()} of the messages that were brought there (was it emptied meanwhile?);"
                    " give the same command again"
                )


def _target(session: Session, possible: Sequence[Target]) -> Target:
    """The first that is not there, or that an earlier run of this very restore has made."""
    for each in possible:
        found = session.mark(each.name)
        if found == each.mark:
            return each
        if found is None:
            if session.mark(RESTORED) is None:
                _made(session, RESTORED, None)
            _made(session, each.name, each.mark)
            return each
    names = ", ".join(each.name for each in possible)
    raise StackProblem(
        f"there are folders {names} of something else: rename or delete one; nothing was brought back"
    )


def _made(session: Session, name: str, mark: str | None) -> None:
    try:
        session.create(name, mark)
    except Refused as refused:
        raise StackProblem(f"Cyrus makes no folder {name}: {refused}; nothing was brought back") from None


def digest(text: bytes) -> str:
    """What Cyrus calls DIGEST.SHA1."""
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def say(text: str) -> None:
    """To whoever waits."""
    print(f"backup: {text}", file=sys.stderr, flush=True)
