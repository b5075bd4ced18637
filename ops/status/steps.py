"""Where keys and policies stand in their lives, and the day from which the next step is safe. From the stack file alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from model.identity import next_steps
from model.identity.next_steps import NextStep
from model.identity.snapshot import snapshot
from model.settings import Settings
from ops.status.row import Row


def rows(settings: Settings, today: datetime.date) -> Iterator[Row]:
    """A row for each signing key, one for MTA-STS, one for each domain that is not live."""
    model = snapshot(settings)
    if model.signing is None:
        yield Row(
            "steps",
            "DKIM",
            "warning",
            "no key signs: ./kolab dkim activate <selector>, once one is published",
        )
    for name, key in model.dkim.items():
        said = _said(key.stage, key.since, next_steps.of_key(model, name), today)
        yield Row("steps", f"DKIM {name}", "ok", said)
    policy = model.mta_sts
    said = _said(policy.stage, policy.since, next_steps.of_policy(model), today)
    yield Row("steps", "MTA-STS", "ok", said)
    for domain in settings.domains:
        stage = settings.stage_of(domain)
        if stage != "live":
            yield Row("steps", domain, "ok", f"its mail is on {stage}: the world is not led here yet")


def _said(stage: str, since: str | None, following: NextStep | None, today: datetime.date) -> str:
    said = f"{stage}{f' since {since}' if since else ''}"
    return f"{said}; {following.words(today)}" if following else said
