"""Alerts from the web application's own numbers: accounts without mailboxes, jobs that wait or fail."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import Alert

_WEBAPP = "webapp, /api/webhooks/metrics (upstream: MetricsController.php)"
_FAILED_JOBS = "`kubectl exec deploy/webapp -- ./artisan queue:failed` lists the jobs that failed; the log of service horizon says why."


def webapp() -> Iterator[Alert]:
    """Alerts about accounts and background jobs."""
    yield from _accounts()
    yield from _jobs()


def _accounts() -> Iterator[Alert]:
    count = "kolab_users_failed_init"
    yield Alert(
        # The service accounts cyrus-admin and noreply never get a mailbox and count from their second day on
        # (upstream: InitCommand.php, UserObserver.php), so the number itself is never 0; its growth is news.
        name="UsersWithoutMailbox",
        severity="ticket",
        service="webapp",
        expr=f"{count} > {count} offset 1d and {count} offset 1d > 0",
        wait="1h",
        summary="{{ $value }} accounts are not ready a day after they were made, more than yesterday",
        meaning="a new account has no mailbox: its mail is refused and its owner cannot log in",
        steps=(
            "`kubectl exec deploy/webapp -- ./artisan user:resync <address>` makes what is missing.",
            _FAILED_JOBS,
        ),
        source=_WEBAPP,
    )
    yield Alert(
        name="UsersNotCleanedUp",
        severity="ticket",
        service="webapp",
        expr="kolab_users_deleted_with_missing_cleanup > 0",
        wait="6h",
        summary="The mailboxes of {{ $value }} deleted accounts still exist",
        meaning="a cleanup job failed: data that should be gone is kept",
        steps=(
            _FAILED_JOBS,
            "`kubectl exec deploy/webapp -- ./artisan user:resync --deleted-only` tries again.",
        ),
        source=_WEBAPP,
    )


def _jobs() -> Iterator[Alert]:
    failed = "kolab_horizon_recent_failed_jobs"
    yield Alert(
        # Horizon lists the queues of supervisors that are alive, so without any the metric is absent
        # (laravel/horizon: RedisWorkloadRepository.php, WaitTimeCalculator.php).
        name="HorizonStopped",
        severity="page",
        service="horizon",
        expr='up{job="webapp"} == 1 unless on () kolab_horizon_queue_size',
        wait="10m",
        summary="No job worker is alive",
        meaning="nothing in the background happens: no new mailbox, no deletion, no notification",
        steps=(
            "`kubectl get pods -l app.kubernetes.io/name=horizon`; then its log.",
            "Horizon must be able to reach Redis and the database (RedisDown, DatabaseDown).",
        ),
        source=_WEBAPP,
    )
    yield Alert(
        # 60 s is Horizon's own threshold (upstream: config/horizon.php, waits).
        name="JobsWaiting",
        severity="ticket",
        service="horizon",
        expr="kolab_horizon_queue_wait_seconds > 60",
        wait="10m",
        summary="Jobs of queue {{ $labels.queue }} wait {{ $value | humanizeDuration }}",
        meaning="what users change in the web interface takes effect late",
        steps=(
            "The log of service horizon names each job and how long it took.",
            "A job that waits for IMAP or DAV is slow because they are.",
        ),
        source=_WEBAPP,
    )
    yield Alert(
        name="JobsFailing",
        severity="ticket",
        service="horizon",
        expr=f"{failed} > {failed} offset 1h",
        wait="5m",
        summary="{{ $value }} jobs have failed in the last seven days, and more than an hour ago",
        meaning="something that a user asked for did not happen",
        steps=(_FAILED_JOBS, "Repair the cause, then `./artisan queue:retry <id>`."),
        source=_WEBAPP,
    )
