"""Steps of things that live in the caches of others: DKIM keys, the MTA-STS policy, the key of port 25.

Each function judges one step, from the deployed model to the wanted one. Dates come from the file or from ops.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from model.catalogue import changes as rules
from model.deployed import CachedPolicy, Deployed, DkimKey
from model.findings import Finding
from model.identity import cached_policies
from model.identity.dkim import RETIRED_DAYS
from model.identity.tlsa import ANNOUNCED_TTLS

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
    """Each policy is tightened and removed step by step, and outlives nothing that it names."""
    apart = sorted({*before.policies, *now.policies})
    yield from _policy(before.sharing(apart), now.sharing(apart), today)
    for domain in apart:
        # The policy of a domain that comes binds nobody yet, and that of one that goes is judged below.
        if domain in before.domains and domain in now.domains:
            for finding in _policy(before.seen_by(domain), now.seen_by(domain), today):
                yield finding.about(SHARED, own_path(domain))
    yield from _left(before, now, today)


SHARED = "mail.mtaSts"
"""Where the policy of all domains stands in the stack file."""


def own_path(domain: str) -> str:
    """Where the policy of a domain stands that has its own."""
    return f"domains.{domain}.mtaSts"


def _left(before: Deployed, now: Deployed, today: datetime.date | None) -> Iterator[Finding]:
    """Domains that are ours no more while senders hold a policy about them that allows only our MX."""
    held = {}
    for domain in sorted(before.live - now.live) if now.live else sorted(before.live - set(now.domains)):
        known, follows = before.seen_by(domain), now.seen_by(domain)
        when = today or _date((follows if domain in now.domains else now).mta_sts.since)
        if known.mta_sts.stage == "enforce" or _still_held(known, when):
            held[domain] = cached_policies.longest(known)
    if held:
        yield rules.MTA_STS_DOMAIN_LEFT.found(domains=", ".join(held), seconds=max(held.values()))


def _policy(before: Deployed, now: Deployed, today: datetime.date | None) -> Iterator[Finding]:
    old, new = before.mta_sts, now.mta_sts
    first, second = old.stage, new.stage
    longest = cached_policies.longest(before)
    if first != second and second not in _MTA_STS_MOVES[first]:
        fix = "set it to removing and wait for maxAge" if first == "enforce" else "set it to testing first"
        yield rules.MTA_STS_STAGE_SKIPPED.found(first=first, second=second, seconds=longest, first_step=fix)
    if first == "removing" and new.max_age < old.max_age:
        yield rules.MTA_STS_MAX_AGE_LOWERED.found(seconds=old.max_age)
    began, becomes = _date(old.since), _date(new.since)
    if began and becomes and becomes < began:
        yield rules.MTA_STS_SINCE_BACKWARDS.found(changed=becomes, began=began)
    if becomes and today and becomes > today:
        yield rules.MTA_STS_SINCE_FUTURE.found(changed=becomes, today=today)
    if first == "enforce" and second == "enforce" and new.max_age < old.max_age and old.since == new.since:
        yield rules.MTA_STS_LOWERED_UNDATED.found(seconds=old.max_age)
    when = today or becomes
    if first in ("testing", "removing") and second == "none":
        yield from _removed(before, when)
    mx = before.mx
    if first == "enforce" and mx.stage == "live" and mx.host != now.mx.host:
        yield rules.MTA_STS_MX_CHANGED.found(host=now.mx.host, allowed=mx.host)
    yield from _policy_and_host(before, now)
    yield from _policy_and_certificate(before, now)


def _policy_and_host(before: Deployed, now: Deployed) -> Iterator[Finding]:
    """Another MX host, where a policy that did not bind senders before names one host only."""
    old, new = before.mx, now.mx
    if old.host == new.host or "live" not in (old.stage, new.stage):
        return
    if _enforced(before):
        return
    if _enforced(now):
        yield rules.MTA_STS_MX_TOGETHER.found(host=new.host, seconds=before.ttl)
    held = [policy for policy in now.mta_sts.cached if not {old.host, new.host} <= set(policy.hosts)]
    if held:
        allowed = ", ".join(sorted({host for policy in held for host in policy.hosts}))
        yield rules.MTA_STS_MX_HELD.found(host=new.host, allowed=allowed, safe=_forgotten(held))


def _policy_and_certificate(before: Deployed, now: Deployed) -> Iterator[Finding]:
    """A self-signed certificate while senders enforce; what was so before is no news."""
    if (before.tls, _enforced(before)) == ("selfSigned", True) or "live" not in (
        before.mx.stage,
        now.mx.stage,
    ):
        return
    if "selfSigned" in (before.tls, now.tls) and (_enforced(before) or _enforced(now)):
        yield rules.MTA_STS_SELF_SIGNED.found(seconds=max(map(cached_policies.longest, (before, now))))
    elif now.tls == "selfSigned" != before.tls and now.mta_sts.cached:
        yield rules.MTA_STS_SELF_SIGNED_HELD.found(safe=_forgotten(now.mta_sts.cached))


def _enforced(model: Deployed) -> bool:
    return model.mta_sts.stage == "enforce" and model.mx.stage == "live"


def _forgotten(held: Sequence[CachedPolicy]) -> str:
    """The day on which the last of these policies is forgotten, in words."""
    days = [cached_policies.forgotten_on(policy) for policy in held]
    known = [day for day in days if day]
    return str(max(known)) if len(known) == len(days) else "they are forgotten"


def _removed(before: Deployed, when: datetime.date | None) -> Iterator[Finding]:
    """No policy is served any more: until then senders who come back find that the old one counts no more."""
    began = _date(before.mta_sts.since)
    held = list(before.mta_sts.cached)
    if before.mta_sts.stage == "removing":
        # Its maxAge is the largest value that was served before anything remembered it.
        held.append(
            CachedPolicy(
                hosts=(), max_age=before.mta_sts.max_age, ended=before.mta_sts.since if began else None
            )
        )
    days = [(cached_policies.forgotten_on(policy), policy) for policy in held]
    known = [(day, policy) for day, policy in days if day]
    if len(known) < len(days) and before.mta_sts.cached:
        longest = max(policy.max_age for day, policy in days if day is None)
        yield rules.MTA_STS_END_UNKNOWN.found(seconds=longest)
    elif known:
        safe, policy = max(known, key=lambda pair: pair[0])
        if when is None or when < safe:
            yield rules.MTA_STS_REMOVED_EARLY.found(safe=safe, began=policy.ended, seconds=policy.max_age)


def _still_held(before: Deployed, when: datetime.date | None) -> bool:
    """Whether senders hold what was enforced before the last step."""
    safe = [cached_policies.forgotten_on(policy) for policy in before.mta_sts.cached]
    return before.mx.stage == "live" and any(day is None or when is None or when < day for day in safe)


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
        yield rules.TLSA_NOT_ANNOUNCED.found(seconds=ANNOUNCED_TTLS * before.ttl)
    if new.next != old.current:
        yield rules.TLSA_OLD_DROPPED.found()


def _date(text: object) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
