"""Steps of things that live in the caches of others: DKIM keys, the MTA-STS policy, the key of port 25.

Each function judges one step, from the deployed model to the wanted one. Dates come from the file or from ops.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from model.catalogue import changes as rules
from model.deployed import Deployed, DkimKey
from model.findings import Finding
from model.identity.dkim import RETIRED_DAYS

_DKIM_MOVES: dict[str | None, tuple[str | None, ...]] = {
    None: ("staged", "published"),
    "staged": ("published", None),
    "published": ("active", "staged", None),
    "active": ("retired",),
    "retired": ("revoked", "active"),
    "revoked": (None,),
}
"""Stage -> stages that may follow; None is a selector that is not in the file. What never signed may go at once."""

_MTA_STS_MOVES = {
    "none": ("testing",),
    "testing": ("enforce", "removing", "none"),
    "enforce": ("testing", "removing"),
    "removing": ("none", "testing", "enforce"),
}
"""Stage -> stages that may follow. Testing stops nobody's mail, so it may be dropped at once."""


def dkim(before: Deployed, now: Deployed, today: datetime.date | None) -> Iterator[Finding]:
    """Keys move one stage at a time and never change under their selector."""
    old, new = before.dkim, now.dkim
    for name in sorted({*old, *new}):
        path = f"kolab:mail.dkim.selectors.{name}"
        was, becomes = old.get(name), new.get(name)
        first, second = (key.stage if key else None for key in (was, becomes))
        if first == second:
            if was and becomes and first != "staged" and was.public_key != becomes.public_key:
                yield rules.DKIM_KEY_CHANGED.found(name=name, first=first)
            continue
        if second not in _DKIM_MOVES[first]:
            steps = " or ".join(stage or "removed" for stage in _DKIM_MOVES[first])
            yield rules.DKIM_STAGE_SKIPPED.found(
                name=name, first=first or "nothing", second=second or "removed", steps=steps
            )
        yield from _dkim_dates(path, was, becomes, today)


def _dkim_dates(
    path: str, was: DkimKey | None, becomes: DkimKey | None, today: datetime.date | None
) -> Iterator[Finding]:
    began, changed = (_date(key.since if key else None) for key in (was, becomes))
    if began and changed and changed < began:
        yield rules.DKIM_SINCE_BACKWARDS.found(path=path, changed=changed, began=began)
    if changed and today and changed > today:
        yield rules.DKIM_SINCE_FUTURE.found(path=path, changed=changed, today=today)
    when = today or changed
    left = was is not None and was.stage == "retired" and (becomes is None or becomes.stage == "revoked")
    if left and began:
        safe = began + datetime.timedelta(days=RETIRED_DAYS)
        if when is None or when < safe:
            yield rules.DKIM_RETIRED_EARLY.found(path=path, safe=safe, began=began, days=RETIRED_DAYS - 1)


def mta_sts(before: Deployed, now: Deployed, today: datetime.date | None) -> Iterator[Finding]:
    """The policy is tightened and removed step by step, and outlives nothing that it names."""
    old, new = before.mta_sts, now.mta_sts
    first, second = old.stage, new.stage
    if first != second and second not in _MTA_STS_MOVES[first]:
        fix = "set it to removing and wait for maxAge" if first == "enforce" else "set it to testing first"
        yield rules.MTA_STS_STAGE_SKIPPED.found(
            first=first, second=second, seconds=old.max_age, first_step=fix
        )
    if first == "removing" and new.max_age < old.max_age:
        yield rules.MTA_STS_MAX_AGE_LOWERED.found(seconds=old.max_age)
    began = _date(old.since)
    if first == "removing" and second == "none" and began:
        safe = began + datetime.timedelta(seconds=old.max_age, days=1)
        when = today or _date(new.since)
        if when is None or when < safe:
            yield rules.MTA_STS_REMOVED_EARLY.found(safe=safe, began=began)
    left = sorted(set(before.domains) - set(now.domains))
    if first == "enforce" and left:
        yield rules.MTA_STS_DOMAIN_LEFT.found(domains=", ".join(left), seconds=old.max_age)
    mx = before.mx
    if first == "enforce" and mx.stage == "live" and mx.host != now.mx.host:
        yield rules.MTA_STS_MX_CHANGED.found(host=now.mx.host, allowed=mx.host)


def tlsa(before: Deployed, now: Deployed) -> Iterator[Finding]:
    """A new key is published before it is used, and the old one stays until every pod shows the new one."""
    old, new = before.tlsa, now.tlsa
    if not old:
        return
    if new is None:
        yield rules.TLSA_REMOVED.found(seconds=before.ttl)
        return
    if new.current == old.current:
        return
    if new.current != old.next:
        yield rules.TLSA_NOT_ANNOUNCED.found(seconds=2 * before.ttl)
    if new.next != old.current:
        yield rules.TLSA_OLD_DROPPED.found()


def _date(text: object) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
