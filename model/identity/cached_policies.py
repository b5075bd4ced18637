"""Enforced MTA-STS policies that senders may still hold although they are served no more.

A sender keeps a policy for its max_age from the day on which it was fetched last, whatever is served or said in DNS
since (RFC 8461 sections 3.3 and 8.3). So each deployed model remembers those of before. There is no clock: a policy
ended on the day that `mtaSts.since` names when it is replaced, else not later than the next such day.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence

from model.deployed import CachedPolicy, Deployed, MtaSts


def remembered(now: Deployed, possible: Sequence[Deployed]) -> Deployed:
    """`now` with what senders may hold of the policies of before, whichever of the `possible` models it follows."""

    def with_cached(policy: MtaSts, held: Iterable[CachedPolicy]) -> MtaSts:
        return policy.model_copy(update={"cached": in_order(held)})

    shared = (policy for before in possible for policy in _of_all(before, now))
    own = {
        domain: with_cached(
            policy,
            (p for before in possible for p in after(before.seen_by(domain), now.seen_by(domain))),
        )
        for domain, policy in now.policies.items()
    }
    return now.model_copy(update={"mta_sts": with_cached(now.mta_sts, shared), "policies": own})


def _of_all(before: Deployed, now: Deployed) -> Iterator[CachedPolicy]:
    """What senders to domains without a policy of their own may hold: also of those that had one."""
    yield from after(before.sharing(before.policies), now.sharing(now.policies))
    for domain in before.policies:
        if domain in now.domains and domain not in now.policies:
            yield from after(before.seen_by(domain), now.seen_by(domain))


def after(before: Deployed, now: Deployed) -> tuple[CachedPolicy, ...]:
    """What senders may hold once `now` follows `before`, beside what `now` serves itself, where all share a policy."""
    day = _new_day(before, now)
    served = _served(now)
    held = [*before.mta_sts.cached, *filter(None, (_served(before),))]
    dated = (policy if policy.ended else policy.model_copy(update={"ended": day}) for policy in held)
    today = _date(day)
    kept = (
        policy
        for policy in dict.fromkeys(dated)
        if not _outlived(policy, served) and not (today and _forgotten(policy, today))
    )
    return in_order(kept)


def in_order(policies: Iterable[CachedPolicy]) -> tuple[CachedPolicy, ...]:
    """Each policy once, in a steady order."""
    order = dict.fromkeys(policies)
    return tuple(sorted(order, key=lambda policy: (policy.ended or "", policy.max_age, policy.hosts)))


def forgotten_on(policy: CachedPolicy) -> datetime.date | None:
    """First day on which no sender holds the policy; None while nobody knows when it ended."""
    ended = _date(policy.ended)
    # Counted from the end of that day, in whole days.
    return ended + datetime.timedelta(days=-(-policy.max_age // 86400) + 1) if ended else None


def longest(before: Deployed) -> int:
    """The largest max_age that a sender may hold now."""
    return max((before.mta_sts.max_age, *(policy.max_age for policy in before.mta_sts.cached)))


def _served(model: Deployed) -> CachedPolicy | None:
    """The policy that senders who fetch it enforce; none on hold, where no record names it."""
    if model.mta_sts.stage != "enforce" or model.mx.stage != "live":
        return None
    return CachedPolicy(hosts=(model.mx.host, *model.mta_sts.others), max_age=model.mta_sts.max_age)


def _outlived(policy: CachedPolicy, served: CachedPolicy | None) -> bool:
    """Whether what is served now binds senders at least as long."""
    return served is not None and served.hosts == policy.hosts and served.max_age >= policy.max_age


def _forgotten(policy: CachedPolicy, today: datetime.date) -> bool:
    safe = forgotten_on(policy)
    return safe is not None and safe <= today


def _new_day(before: Deployed, now: Deployed) -> str | None:
    """The day of this step, where the stack file tells."""
    old, new = _date(before.mta_sts.since), _date(now.mta_sts.since)
    return now.mta_sts.since if new and (old is None or new > old) else None


def _date(text: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        return None
