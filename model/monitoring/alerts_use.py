"""Alerts about what people and strangers use up: connections, memory of Redis, the good name of our address."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import EVENTS, Alert, events, grew
from model.settings import Settings

_SUSPENDED = 'kolab_users_count{state="suspended"}'
BULK = 300
"""Messages of one login in an hour. People who write to a club or a class stay below; a stolen password does not."""


def use(settings: Settings) -> Iterator[Alert]:
    """Alerts about what is used up or kept from people, and by whom."""
    blocked = events("filter", detail="blocked .*")
    if settings.mail.spam.quarantine_at is not None:
        # Whoever wrote that wants no ticket for each message.
        blocked = blocked.removesuffix("}") + ',detail!="blocked spam"}'
    yield from _limits()
    yield from _senders()
    yield Alert(
        name="MailDiscarded",
        severity="ticket",
        service="postfix",
        expr=f"sum by (detail) (increase({blocked}[1h])) > 0",
        wait="0s",
        summary="The filter kept {{ $value | humanize }} messages from people ({{ $labels.detail }})",
        meaning="a virus, or spam above `kolab:mail.spam.quarantineAt`, is kept in the quarantine, and neither sender nor"
        " recipient hears of it; anything else that is blocked is lost mail",
        steps=(
            "`./kolab quarantine list` shows id, reason, sender, recipients and subject of each; it is deleted after"
            " `kolab:mail.quarantineDays`.",
            "A virus: tell the recipient, if the sender is known. What was no virus: `./kolab quarantine release <id>`.",
            'What is not in that list: `{service="postfix"} "Blocked"` in the logs has sender, recipient and reason; the'
            " stack keeps nothing else back, so an image has changed what it does: compare its digest.",
        ),
        source=EVENTS,
    )


def _limits() -> Iterator[Alert]:
    yield Alert(
        name="DatabaseConnectionsExhausted",
        severity="page",
        service="mariadb",
        expr=f"sum by (origin) ({grew(events('no-connection'), '10m')}) > 0",
        wait="0s",
        summary="{{ $labels.origin }} was refused a connection to the database",
        meaning="the database has no connection left: mail is deferred and logins fail until somebody lets go of one",
        steps=(
            "`SHOW PROCESSLIST` in the database says who holds them.",
            "The sum of what all daemons may open is a rule at preview (database-connections); on an external server"
            " another program may take the rest: compare its max_connections with kolab:external.database.maxConnections.",
        ),
        source=EVENTS,
    )
    yield Alert(
        name="RedisFull",
        severity="page",
        service="redis",
        expr=f"sum by (origin) ({grew(events('redis-full'), '10m')}) > 0",
        wait="0s",
        summary="{{ $labels.origin }} could not write to Redis, which is full",
        meaning="no job is queued and no session begins: people cannot log in to the web, and new accounts get no mailbox",
        steps=(
            "`redis-cli info memory` in the pod of redis; `redis-cli --bigkeys` says what fills it.",
            "Raise kolab:resources.redis.memoryLimit and run `make up`. Nothing was evicted: the queue is whole.",
        ),
        source=EVENTS,
    )


def _senders() -> Iterator[Alert]:
    submitted = events("submission", detail="[^@]+@.+")
    yield Alert(
        name="BulkSender",
        severity="ticket",
        service="postfix",
        expr=f"sum by (detail) (increase({submitted}[1h])) > {BULK}",
        wait="0s",
        summary="{{ $labels.detail }} sent {{ $value | humanize }} messages in an hour",
        meaning="nobody is stopped for sending much (kolab:mail.rateLimits), so a stolen password shows here first; a few"
        " hours of spam bring our address onto block lists",
        steps=(
            "`postqueue -p` and the logs of service postfix: to whom, and does it look like that person's work?",
            "Stolen: `./kolab block <address>` suspends it, ends its sessions and holds its mail; then a new password"
            " (`./kolab user passwd`), and `./kolab queue` for what waits.",
        ),
        source=EVENTS,
    )
    yield Alert(
        name="UsersSuspended",
        severity="ticket",
        service="webapp",
        expr=f"{_SUSPENDED} - {_SUSPENDED} offset 1h > 0",
        wait="5m",
        summary="{{ $value }} accounts were suspended within an hour",
        meaning="the web application suspends everybody of an account that sends more than its limits allow, or somebody"
        " did it by hand; whoever is suspended neither sends nor receives",
        steps=(
            "`kubectl exec deploy/webapp -- ./artisan users` lists them; the log of service webapp says why.",
            "By mistake: `./artisan user:unsuspend <address>`, and write the domain into kolab:mail.rateLimits.unlimited.",
        ),
        source="webapp, /api/webhooks/metrics (upstream: MetricsController.php)",
    )
