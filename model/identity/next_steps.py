"""What follows a stage that lives in the caches of others, and the first day on which it is safe.

Keys that sign and the policy of MTA-STS, as they are once a model is deployed. Waits are those that the judges of
life_cycles.py ask for, and where these ask for none, as long as resolvers keep a record. Stack files write days, so a
part of a day is a whole one.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from model.deployed import Deployed
from model.findings import counted
from model.identity import cached_policies
from model.identity.dkim import RETIRED_DAYS

_DAY = 86400


@dataclass(frozen=True)
class NextStep:
    """The step after the present stage."""

    does: str
    """A command, or the stage that follows."""
    days: int
    """From the day on which the present stage began; 0 for any day."""
    began: datetime.date | None
    """That day; None where nobody wrote it down."""
    later: datetime.date | None = None
    """A day not before which something else allows the step."""

    @property
    def day(self) -> datetime.date | None:
        """The first safe day; None where any is, or where it is not known."""
        known = [self.began + datetime.timedelta(days=self.days)] if self.began and self.days else []
        return max((*known, *((self.later,) if self.later else ())), default=None)

    def words(self, today: datetime.date | None = None) -> str:
        """What to do and when. Without `today` nothing is said of days that have come."""
        when = f", not before {self.day}"
        if self.day is None:
            when = f", not before {counted(self.days, 'day')} after the update" if self.days else ", any day"
        elif today and self.day <= today:
            when = ", from today on"
        return f"next: {self.does}{when}"


def of_key(model: Deployed, name: str) -> NextStep | None:
    """What follows for a signing key; None for one that signs, since nothing hurries."""
    key = model.dkim[name]
    cached = -(-model.ttl // _DAY) + 1
    days = {"staged": 0, "published": cached, "retired": RETIRED_DAYS, "revoked": cached}.get(key.stage)
    return (
        None if days is None else NextStep(f"./kolab dkim {_VERBS[key.stage]} {name}", days, _date(key.since))
    )


_VERBS = {"staged": "publish", "published": "activate", "retired": "revoke", "revoked": "remove"}
"""Stage -> verb of `./kolab dkim`."""


def of_policy(model: Deployed, domain: str | None = None) -> NextStep | None:
    """What follows for the MTA-STS policy that all share, or for that of one domain; None where it is enforced."""
    policy = model.policies.get(domain, model.mta_sts) if domain else model.mta_sts
    began = _date(policy.since)
    match policy.stage:
        case "none":
            return NextStep("testing", 0, began)
        case "testing":
            days = -(-model.ttl // _DAY)
            return NextStep("enforce, when reports about TLS are clean", days, began)
        case "removing":
            ends = {each: cached_policies.forgotten_on(each) for each in policy.cached}
            undated = (each.max_age for each, day in ends.items() if day is None)
            days = -(-max((policy.max_age, *undated)) // _DAY) + 1
            return NextStep("none", days, began, max((day for day in ends.values() if day), default=None))
        case _:
            return None


def _date(text: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        return None
