"""Steps of things that live in the caches of others: DKIM keys, the MTA-STS policy, the key of port 25.

Each function judges one step, from the deployed snapshot to the wanted one. Dates come from the file or from ops.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

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
                yield Finding(
                    rule="dkim-key-changed",
                    path=f"{path}.publicKey",
                    problem=f"is another key than the one that is {first}: mail signed with the old one would fail",
                    fix="put the old key back, and stage the new one under a new selector",
                    source="RFC 6376 section 3.1",
                )
            continue
        if second not in _DKIM_MOVES[first]:
            steps = " or ".join(stage or "removed" for stage in _DKIM_MOVES[first])
            yield Finding(
                rule="dkim-stage-skipped",
                path=f"{path}.stage",
                problem=f"goes from {first or 'nothing'} to {second or 'removed'}: receivers would judge signatures by a key that they do not have",
                fix=f"the next step is {steps}",
                source="RFC 6376 section 3.1",
            )
        yield from _dkim_dates(path, was, becomes, today)


def _dkim_dates(
    path: str, was: Snapshot, becomes: Snapshot, today: datetime.date | None
) -> Iterator[Finding]:
    began, changed = _date(was.get("since")), _date(becomes.get("since"))
    if began and changed and changed < began:
        yield Finding(
            rule="dkim-since-backwards",
            path=f"{path}.since",
            problem=f"is {changed}, before {began}, when the stage before began",
            fix="write the day of this change",
        )
    if changed and today and changed > today:
        yield Finding(
            rule="dkim-since-future",
            path=f"{path}.since",
            problem=f"is {changed}, which has not come yet",
            fix=f"write {today}",
        )
    when = today or changed
    if was.get("stage") == "retired" and becomes.get("stage") in ("revoked", None) and began:
        safe = began + datetime.timedelta(days=RETIRED_DAYS)
        if when is None or when < safe:
            yield Finding(
                rule="dkim-retired-early",
                path=f"{path}.stage",
                problem=f"leaves retired before {safe}: signatures made until {began} are valid for {RETIRED_DAYS - 1} days, and mail on its way would fail",
                fix=f"wait until {safe}",
                source="RFC 6376 section 3.5, x=",
            )


def mta_sts(before: Snapshot, now: Snapshot, today: datetime.date | None) -> Iterator[Finding]:
    """The policy is tightened and removed step by step, and outlives nothing that it names."""
    path = "kolab:mail.mtaSts.stage"
    old, new = before.get("mtaSts", {}), now["mtaSts"]
    first, second = old.get("stage", "none"), new["stage"]
    if first != second and second not in _MTA_STS_MOVES[first]:
        fix = "set it to removing and wait for maxAge" if first == "enforce" else "set it to testing first"
        yield Finding(
            rule="mta-sts-stage-skipped",
            path=path,
            problem=f"goes from {first} to {second}: senders keep the old policy for up to {old.get('maxAge')} seconds and would refuse to deliver",
            fix=fix,
            source="RFC 8461 section 8.3",
        )
    if first == "removing" and new["maxAge"] < old.get("maxAge", 0):
        yield Finding(
            rule="mta-sts-max-age-lowered",
            path="kolab:mail.mtaSts.maxAge",
            problem="is lowered while the policy is being removed, so the end of the wait is no longer known",
            fix=f"leave it at {old['maxAge']}, the largest value ever served",
            source="RFC 8461 section 8.3",
        )
    began = _date(old.get("since"))
    if first == "removing" and second == "none" and began:
        safe = began + datetime.timedelta(seconds=old["maxAge"], days=1)
        when = today or _date(new.get("since"))
        if when is None or when < safe:
            yield Finding(
                rule="mta-sts-removed-early",
                path=path,
                problem=f"becomes none before {safe}, while senders may still hold the policy that was served until {began}",
                fix=f"wait until {safe}, and write that day to mail.mtaSts.since",
                source="RFC 8461 section 8.3",
            )
    left = sorted(set(before.get("domains", ())) - set(now["domains"]))
    if first == "enforce" and left:
        yield Finding(
            rule="mta-sts-domain-left",
            path="kolab:hostedDomains",
            problem=f"loses {', '.join(left)}, whose senders keep the policy that allows only our MX for up to {old['maxAge']} seconds",
            fix="go to testing, wait for maxAge, then let the domain go; or acknowledge it",
            source="RFC 8461 section 8.3",
        )
    mx = before.get("mx", {})
    if first == "enforce" and mx.get("stage") == "live" and mx["host"] != now["mx"]["host"]:
        yield Finding(
            rule="mta-sts-mx-changed",
            path="kolab:hosts.mx",
            problem=f"becomes {now['mx']['host']}, but senders hold a policy that allows only {mx['host']}",
            fix="set mail.mtaSts.stage to testing, wait for maxAge, change the host, then enforce again",
            source="RFC 8461 section 8.1",
        )


def tlsa(before: Snapshot, now: Snapshot) -> Iterator[Finding]:
    """A new key is published before it is used, and the old one stays until every pod shows the new one."""
    old, new = before.get("tlsa"), now["tlsa"]
    if not old:
        return
    if new is None:
        yield Finding(
            rule="tlsa-removed",
            path="kolab:tlsa",
            severity="warning",
            problem=f"is withdrawn: for {before.get('ttl')} seconds senders still demand the old key on port 25",
            fix="keep the key of port 25 for that time, and acknowledge it",
            source="RFC 7671 section 8.1",
        )
        return
    if new["current"] == old["current"]:
        return
    if new["current"] != old.get("next"):
        yield Finding(
            rule="tlsa-not-announced",
            path="kolab:tlsa.current",
            problem="is a key that was not published as next: senders with DANE would refuse port 25",
            fix=f"publish it as next, wait {2 * before.get('ttl', 0)} seconds, then switch",
            source="RFC 7671 section 8.1",
        )
    if new.get("next") != old["current"]:
        yield Finding(
            rule="tlsa-old-dropped",
            path="kolab:tlsa.next",
            problem="drops the old key in the step that switches: senders who see the new records before the pods have changed would refuse port 25",
            fix="put the old key into next for this step, and replace it in the one after",
            source="RFC 7671 section 8.1",
        )


def _date(text: object) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
