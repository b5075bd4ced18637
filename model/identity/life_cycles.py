"""Steps of things that live in the caches of others: DKIM keys, the MTA-STS policy, the key of port 25.

Each function judges one step, from the deployed snapshot to the wanted one. Dates come from the file or from ops.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from model.catalogue import changes as rules
from model.findings import Finding
from model.identity.dkim import RETIRED_DAYS

Snapshot = Mapping[str, Any]

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


def dkim(before: Snapshot, now: Snapshot, today: datetime.date | None) -> Iterator[Finding]:
    """Keys move one stage at a time and never change under their selector."""
    old, new = before.get("dkim", {}), now["dkim"]
    for name in sorted({*old, *new}):
        path = f"kolab:mail.dkim.selectors.{name}"
        was, becomes = old.get(name, {}), new.get(name, {})
        first, second = was.get("stage"), becomes.get("stage")
        if first == second:
            if first != "staged" and was.get("publicKey") != becomes.get("publicKey"):
                yield rules.DKIM_KEY_CHANGED.found(name=name, first=first)
            continue
        if second not in _DKIM_MOVES[first]:
            steps = " or ".join(stage or "removed" for stage in _DKIM_MOVES[first])
            yield rules.DKIM_STAGE_SKIPPED.found(
                name=name, first=first or "nothing", second=second or "removed", steps=steps
            )
        yield from _dkim_dates(path, was, becomes, today)


def _dkim_dates(
    path: str, was: Snapshot, becomes: Snapshot, today: datetime.date | None
) -> Iterator[Finding]:
    began, changed = _date(was.get("since")), _date(becomes.get("since"))
    if began and changed and changed < began:
        yield rules.DKIM_SINCE_BACKWARDS.found(path=path, changed=changed, began=began)
    if changed and today and changed > today:
        yield rules.DKIM_SINCE_FUTURE.found(path=path, changed=changed, today=today)
    when = today or changed
    if was.get("stage") == "retired" and becomes.get("stage") in ("revoked", None) and began:
        safe = began + datetime.timedelta(days=RETIRED_DAYS)
        if when is None or when < safe:
            yield rules.DKIM_RETIRED_EARLY.found(path=path, safe=safe, began=began, days=RETIRED_DAYS - 1)


def mta_sts(before: Snapshot, now: Snapshot, today: datetime.date | None) -> Iterator[Finding]:
    """The policy is tightened and removed step by step, and outlives nothing that it names."""
    old, new = before.get("mtaSts", {}), now["mtaSts"]
    first, second = old.get("stage", "none"), new["stage"]
    if first != second and second not in _MTA_STS_MOVES[first]:
        fix = "set it to removing and wait for maxAge" if first == "enforce" else "set it to testing first"
        yield rules.MTA_STS_STAGE_SKIPPED.found(
            first=first, second=second, seconds=old.get("maxAge"), first_step=fix
        )
    if first == "removing" and new["maxAge"] < old.get("maxAge", 0):
        yield rules.MTA_STS_MAX_AGE_LOWERED.found(seconds=old["maxAge"])
    began = _date(old.get("since"))
    if first == "removing" and second == "none" and began:
        safe = began + datetime.timedelta(seconds=old["maxAge"], days=1)
        when = today or _date(new.get("since"))
        if when is None or when < safe:
            yield rules.MTA_STS_REMOVED_EARLY.found(safe=safe, began=began)
    left = sorted(set(before.get("domains", ())) - set(now["domains"]))
    if first == "enforce" and left:
        yield rules.MTA_STS_DOMAIN_LEFT.found(domains=", ".join(left), seconds=old["maxAge"])
    mx = before.get("mx", {})
    if first == "enforce" and mx.get("stage") == "live" and mx["host"] != now["mx"]["host"]:
        yield rules.MTA_STS_MX_CHANGED.found(host=now["mx"]["host"], allowed=mx["host"])


def tlsa(before: Snapshot, now: Snapshot) -> Iterator[Finding]:
    """A new key is published before it is used, and the old one stays until every pod shows the new one."""
    old, new = before.get("tlsa"), now["tlsa"]
    if not old:
        return
    if new is None:
        yield rules.TLSA_REMOVED.found(seconds=before.get("ttl"))
        return
    if new["current"] == old["current"]:
        return
    if new["current"] != old.get("next"):
        yield rules.TLSA_NOT_ANNOUNCED.found(seconds=2 * before.get("ttl", 0))
    if new.get("next") != old["current"]:
        yield rules.TLSA_OLD_DROPPED.found()


def _date(text: object) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
