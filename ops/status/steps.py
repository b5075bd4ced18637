"""Where keys and policies stand in their lives, and the day from which the next step is safe. From the stack file alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from model.identity.dkim import RETIRED_DAYS
from model.settings import DkimSelector, MtaSts, Settings
from ops.status.row import Row


def rows(settings: Settings, today: datetime.date) -> Iterator[Row]:
    """A row for each signing key, one for MTA-STS, one for each domain that is not live."""
    selectors = settings.mail.dkim.selectors
    if not any(key.stage == "active" for key in selectors.values()):
        yield Row(
            "steps",
            "DKIM",
            "warning",
            "no key signs: ./kolab dkim activate <selector>, once one is published",
        )
    for name, key in selectors.items():
        yield Row("steps", f"DKIM {name}", "ok", _key(name, key, settings.dns.ttl, today))
    yield Row("steps", "MTA-STS", "ok", _policy(settings.mail.mta_sts, settings.dns.ttl, today))
    for domain in settings.domains:
        stage = settings.stage_of(domain)
        if stage != "live":
            yield Row("steps", domain, "ok", f"its mail is on {stage}: the world is not led here yet")


def _key(name: str, key: DkimSelector, ttl: int, today: datetime.date) -> str:
    cached = datetime.timedelta(seconds=ttl, days=1)
    after, command = {
        "staged": (datetime.timedelta(), f"./kolab dkim publish {name}"),
        "published": (cached, f"./kolab dkim activate {name}"),
        "retired": (datetime.timedelta(days=RETIRED_DAYS), f"./kolab dkim revoke {name}"),
        "revoked": (cached, f"./kolab dkim remove {name}"),
    }.get(key.stage, (None, ""))
    said = f"{key.stage}{f' since {key.since}' if key.since else ''}"
    return said if after is None else f"{said}; next: {command}{_when(key.since, after, today)}"


def _policy(policy: MtaSts, ttl: int, today: datetime.date) -> str:
    after, next_step = {
        "none": (datetime.timedelta(), "testing"),
        "testing": (datetime.timedelta(seconds=ttl), "enforce, when reports about TLS are clean"),
        "removing": (datetime.timedelta(seconds=policy.max_age, days=1), "none"),
    }.get(policy.stage, (None, ""))
    said = f"{policy.stage}{f' since {policy.since}' if policy.since else ''}"
    return said if after is None else f"{said}; next: {next_step}{_when(policy.since, after, today)}"


def _when(since: object, after: datetime.timedelta, today: datetime.date) -> str:
    """The safe day. The stack file writes days, so a part of one is a whole one."""
    if not after:
        return ", any day"
    if not since:
        return ", after a wait that begins with its mail step's `since`"
    days = -(-int(after.total_seconds()) // 86400)
    safe = datetime.date.fromisoformat(str(since)) + datetime.timedelta(days=days)
    return ", from today on" if safe <= today else f", not before {safe}"
