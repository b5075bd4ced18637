"""What it costs to take a change back: waits for caches, steps that nothing undoes, and what refuses a mere revert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model import rotation
from model.catalogue import files
from model.deployed import Deployed
from model.review import cluster_changes, mail_changes
from model.review.change import Change
from model.review.item import Item
from model.secrets import is_secret_key
from model.settings import Settings
from model.step import judge

_EXCEPTIONS = (files.ACKNOWLEDGE_SERVED.id, files.ACKNOWLEDGE_SPENT.id)
"""Rules about entries that a revert would bring back; they say nothing about the way."""


def going_back(
    before: Settings, after: Settings, changes: Sequence[Change], secrets: Sequence[str], now: Deployed
) -> Iterator[Item]:
    """Sentences about the way back; one that says so when there is nothing to wait for.

    `secrets` are keys whose values change, `now` is the deployed model of `after`.
    """
    found = [
        *_irreversible(before, after, changes),
        *_keys(before, after),
        *_values(after, secrets),
        *_refused(before, now),
    ]
    if any(mail_changes.records(before, after)) or any(mail_changes.addresses(before, after)):
        wait = mail_changes.duration(max(before.dns.ttl, after.dns.ttl))
        found.append(Item(f"resolvers keep the new records for up to {wait} after you have gone back"))
    yield from found or [Item("reverting the commit and running the update again is all it takes")]
    if again := sorted({change.daemon for change in changes if change.rolls and change.action == "update"}):
        yield Item(f"{', '.join(again)} restart{'s' if len(again) == 1 else ''} once more")


def destroying() -> Iterator[Item]:
    """The way back from a first deployment."""
    yield Item(
        "make destroy takes everything away again and stops at what holds data (docs/how-to/remove-a-stack.md)"
    )


def _refused(before: Settings, now: Deployed) -> Iterator[Item]:
    """What the judges of changes, asked about the step back, say of a revert that does nothing else."""
    found = [finding for finding in judge(now, before).findings if finding.rule not in _EXCEPTIONS]
    for severity, verb in (("error", "refused"), ("warning", "warned of")):
        said = [finding for finding in found if finding.severity == severity]
        if len(said) == 1:
            yield Item(f"a mere revert is {verb}: {said[0]}", "care")
        elif said:
            rules = ", ".join(dict.fromkeys(finding.rule for finding in said))
            yield Item(
                f"a mere revert is {verb}, for {len(said)} reasons: {rules}", "care", tuple(map(str, said))
            )


def _keys(before: Settings, after: Settings) -> Iterator[Item]:
    """Signing keys: which of them can sign again."""
    old, new = before.mail.dkim.selectors, after.mail.dkim.selectors
    for name in sorted(old):
        stage = new[name].stage if name in new else "removed"
        if stage == old[name].stage:
            continue
        if stage == "retired":
            yield Item(f"until it is revoked, {name} can sign again: ./kolab dkim activate {name}")
        elif stage in ("revoked", "removed") and old[name].stage != "staged":
            yield Item(f"DKIM key {name} does not come back: a new key takes a new selector", "care")


def _values(after: Settings, secrets: Sequence[str]) -> Iterator[Item]:
    """Secrets: the values of before stand in the commit of before."""
    kinds = {key: rotation.of(key, after).kind for key in secrets if is_secret_key(key)}
    if made := [f"kolab:{key}" for key, kind in kinds.items() if kind == "made"]:
        yield Item(
            f"the old value of {', '.join(made)} comes back with the commit and {'its' if len(made) == 1 else 'their'}"
            " count under kolab:rotations, at the same price; where it leaked, rotate again instead"
        )
    if given := [f"kolab:{key}" for key, kind in kinds.items() if kind == "given"]:
        yield Item(
            f"the old value of {', '.join(given)} works as long as the other end takes it: withdraw it there last",
            "care",
        )


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
