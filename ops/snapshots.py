"""What the repository of backups holds, and which of it is meant."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass

from ops.kubectl import Kubectl
from ops.stacks import StackProblem

BEFORE_MIGRATION = "before-migration"
"""Tag of dumps of before images changed tables."""
BEFORE_RESTORE = "before-restore-"
"""Begins the tag of what a restore has overwritten; the engine follows."""
MAIL_KEEPER = ("imap-0", "backup-mail")
"""The pod and the container that back mail up, where the repository is read from."""


@dataclass(frozen=True)
class Snapshot:
    """A backup of one engine: when it was begun (UTC), and restic's id."""

    id: str
    engine: str
    time: datetime.datetime
    size: int
    """Bytes that were read for it."""


def snapshots(cluster: Kubectl) -> list[Snapshot]:
    """What the repository holds, oldest first. Raises StackProblem when it cannot be read."""
    command = ("restic", "snapshots", "--no-lock", "--json", "--host", "kolab")
    try:
        return read(cluster.execute(*MAIL_KEEPER, *command, seconds=600))
    except StackProblem as problem:
        raise StackProblem(
            f"container backup-mail of pod imap-0 cannot read the repository: {problem} (a restore that was cut short"
            " leaves Cyrus stopped: `kubectl scale statefulset/imap --replicas=1`, which refuses half of the mail by itself)"
        ) from None


def read(text: str) -> list[Snapshot]:
    """What `restic snapshots --json` prints; the tag names the engine."""
    found = []
    for each in json.loads(text):
        # The other tag says whose data it is (components/scripts/backup/repository.sh).
        engine = next((tag for tag in each.get("tags") or () if not tag.startswith("data-")), "")
        time = datetime.datetime.fromisoformat(each["time"]).astimezone(datetime.UTC)
        size = each.get("summary", {}).get("total_bytes_processed", 0)
        found.append(Snapshot(each["id"], engine, time, size))
    return sorted(found, key=lambda snapshot: snapshot.time)


def choose(found: Iterable[Snapshot], engine: str, to: datetime.datetime | None) -> Snapshot:
    """The newest snapshot of an engine, not younger than `to`. Raises StackProblem when there is none."""
    # A dump of before a migration is a dump of the databases.
    tags = (engine, BEFORE_MIGRATION) if engine == "database" else (engine,)
    of_engine = [each for each in found if each.engine in tags]
    right = [each for each in of_engine if to is None or each.time <= to]
    if right:
        return max(right, key=lambda each: each.time)
    if of_engine:
        first = min(each.time for each in of_engine)
        raise StackProblem(
            f"no backup of {engine} is as old as {to:%Y-%m-%d %H:%M} UTC; the first is of {first:%Y-%m-%d %H:%M} UTC"
        )
    raise StackProblem(
        f"there is no backup of {engine} in the repository; ./kolab backup list shows what there is"
    )


def moment(text: str) -> datetime.datetime:
    """The value of --to in UTC, which it is without a zone. Raises StackProblem when it is no time."""
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise StackProblem("--to must be a time such as 2026-11-26T02:30, which is UTC") from None
    return time.replace(tzinfo=datetime.UTC) if time.tzinfo is None else time.astimezone(datetime.UTC)
