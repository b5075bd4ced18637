"""What the repository of backups holds, and which of it is meant."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ops.kubectl import Kubectl
from ops.stacks import StackProblem

BEFORE_MIGRATION = "before-migration"
"""Tag of dumps of before images changed tables."""
BEFORE_RESTORE = "before-restore-"
"""Begins the tag of what a restore has overwritten; the engine follows."""
_AFTER = "after-"
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
    after: tuple[str, ...] = ()
    """Ids of snapshots that were made before it though their time is later: a clock was wrong."""


@dataclass(frozen=True)
class Listing:
    """What the repository holds, oldest first."""

    found: tuple[Snapshot, ...]
    unread: tuple[str, ...] = ()
    """Ids of snapshots that are spoiled: restic knows neither their time nor their engine."""

    def choose(self, engine: str, to: datetime.datetime | None) -> Snapshot:
        """The one of an engine that was made last, not younger than `to`. Raises StackProblem as the function does."""
        return choose(self.found, engine, to, self.unread)


_LIST = (
    """said=/work/list.$$; "$@" 2> $said; code=$?; cat $said >&2;"""
    " [ $code != 0 ] || { echo; grep '^Ignoring' $said; }; rm -f $said; exit $code"
)
"""restic leaves spoiled snapshots out of its list and calls that a success."""


def snapshots(cluster: Kubectl) -> Listing:
    """Asks the repository. Raises StackProblem when it cannot be read."""
    command = ("restic", "snapshots", "--no-lock", "--json", "--host", "kolab")
    try:
        said = cluster.execute(*MAIL_KEEPER, "/bin/sh", "-c", _LIST, "list", *command, seconds=600)
    except StackProblem as problem:
        raise StackProblem(
            f"container backup-mail of pod imap-0 cannot read the repository: {problem} (a restore that was cut short"
            " leaves Cyrus stopped: `kubectl scale statefulset/imap --replicas=1`, which refuses half of the mail by itself)"
        ) from None
    listed, _, ignored = said.strip().partition("\n")
    return Listing(tuple(read(listed)), tuple(re.findall(r'^Ignoring "?([0-9a-f]+)', ignored, re.MULTILINE)))


def read(text: str) -> list[Snapshot]:
    """What `restic snapshots --json` prints; the tag names the engine."""
    found = []
    for each in json.loads(text):
        # Other tags say whose data it is, and what it is newer than (components/scripts/backup/repository.sh).
        tags = each.get("tags") or ()
        engine = next((tag for tag in tags if not tag.startswith(("data-", _AFTER))), "")
        after = tuple(tag.removeprefix(_AFTER) for tag in tags if tag.startswith(_AFTER))
        time = datetime.datetime.fromisoformat(each["time"]).astimezone(datetime.UTC)
        size = each.get("summary", {}).get("total_bytes_processed", 0)
        found.append(Snapshot(each["id"], engine, time, size, after))
    return sorted(found, key=lambda snapshot: snapshot.time)


def mistimed(found: Iterable[Snapshot]) -> set[str]:
    """Ids of what bears a later time than what was made after it."""
    return {id for each in found for id in each.after}


def choose(
    found: Collection[Snapshot], engine: str, to: datetime.datetime | None, unread: Collection[str] = ()
) -> Snapshot:
    """The snapshot of an engine that was made last, not younger than `to`. Raises StackProblem when there is none, and when
    one that is spoiled may be the one."""
    if unread and to is None:
        raise StackProblem(
            f"snapshot {min(unread)[:8]} is spoiled in the repository and may be the newest; name another one by its time,"
            " with --to (./kolab backup list)"
        )
    # A dump of before a migration is a dump of the databases.
    tags = (engine, BEFORE_MIGRATION) if engine == "database" else (engine,)
    older = mistimed(found)
    of_engine = [each for each in found if each.engine in tags and each.id not in older]
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
