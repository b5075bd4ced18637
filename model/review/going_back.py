"""What it costs to take a change back: waits for caches, and steps that nothing undoes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.review import cluster_changes, mail_changes
from model.review.change import Change
from model.review.item import Item
from model.settings import Settings


def going_back(before: Settings, after: Settings, changes: Sequence[Change]) -> Iterator[Item]:
    """Sentences about the way back; one that says so when there is nothing to wait for."""
    found = [*_irreversible(before, after, changes)]
    if any(mail_changes.records(before, after)) or any(mail_changes.addresses(before, after)):
        wait = mail_changes.duration(max(before.dns.ttl, after.dns.ttl))
        found.append(Item(f"resolvers keep the new records for up to {wait} after you have gone back"))
    yield from found or [Item("reverting the commit and running the update again is all it takes")]


def _irreversible(before: Settings, after: Settings, changes: Sequence[Change]) -> Iterator[Item]:
    if set(after.taking) - set(before.taking):
        yield Item("mail that arrives here meanwhile stays here: move it by hand before you go back")
    enforced = {d for d in before.domains if before.mta_sts_of(d).stage == "enforce"}
    ages = [
        policy.max_age
        for d in after.domains
        if d not in enforced and (policy := after.mta_sts_of(d)).stage == "enforce"
    ]
    if ages:
        wait = mail_changes.duration(max(ages))
        yield Item(
            f"senders keep the enforced policy for {wait}; the way back leads through removing", "care"
        )
    if any(change.loses_data for change in changes):
        yield Item("data that is gone comes back from a backup only", "care")
    if any(cluster_changes.migrations(changes)):
        dumped = any(cluster_changes.dumps(changes))
        way = (
            ": put the old digests back and update, then ./kolab backup restore database --before-migration;"
            " accounts, address books and settings of after the dump are lost, mail is not"
        )
        yield Item(
            f"tables that were migrated need a restored dump for the older image{way if dumped else ''}",
            "care",
        )
    grown = [
        change for change in changes if change.kind == "PersistentVolumeClaim" and change.action == "update"
    ]
    if grown:
        yield Item("volumes that have grown stay as large: leave their sizes in the stack file")
