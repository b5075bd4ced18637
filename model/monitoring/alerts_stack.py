"""Alerts about everything around the mail: probes, certificates, accounts, jobs, volumes, the monitoring itself."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import EVENTS, Alert, events, grew
from model.monitoring.probes import Probe, Severity, probes
from model.settings import Settings

_PROBE = "blackbox, https://github.com/prometheus/blackbox_exporter"
_WEBAPP = "webapp, /api/webhooks/metrics (upstream: MetricsController.php)"
_DAY = 86400
_FAILED_JOBS = "`./artisan queue:failed` in the webapp container lists the jobs that failed; the log of service horizon says why."


def stack(settings: Settings) -> Iterator[Alert]:
    """Alerts that are not about single messages."""
    asked = {probe.name: probe for probe in probes(settings)}
    for probe in asked.values():
        yield _silent(probe)
    yield from _certificates()
    yield from _accounts()
    yield from _jobs()
    yield from _daemons()
    yield from _storage()
    yield from _monitoring()


def _silent(probe: Probe) -> Alert:
    first = f"`kubectl get pods -l app.kubernetes.io/name={probe.service}`; then its log."
    second = f"Ask the same question by hand: `/probe?module={probe.name}&target={probe.target}&debug=true` at blackbox."
    return Alert(
        name=probe.alert,
        severity=probe.severity,
        service=probe.service,
        expr=f'probe_success{{probe="{probe.name}"}} == 0',
        wait="3m" if probe.severity == "page" else "10m",
        summary=f"{{{{ $labels.instance }}}} gives no good answer ({probe.name})",
        meaning=probe.meaning,
        steps=(first, second),
        source=f"{_PROBE}, probe_success",
    )


def _certificates() -> Iterator[Alert]:
    # Renewal is due a month before the end (cert-manager: renewBefore defaults to a third of the lifetime).
    yield _expires("CertificateExpiresSoon", "ticket", days=14, wait="1h")
    yield _expires("CertificateExpiresNow", "page", days=3, wait="10m")


def _expires(name: str, severity: Severity, *, days: int, wait: str) -> Alert:
    return Alert(
        name=name,
        severity=severity,
        service="certificates",
        expr=f"probe_ssl_earliest_cert_expiry - time() < {days * _DAY}",
        wait=wait,
        summary="The certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}",
        meaning="renewal has not happened in time; when the certificate expires, clients and senders with MTA-STS turn away",
        steps=(
            "`kubectl get certificates` and `kubectl describe` the one that is not ready: cert-manager says why it could not renew.",
            "Renewed, but the daemon still shows the old one: restart the daemon's pods.",
        ),
        source=f"{_PROBE}, probe_ssl_earliest_cert_expiry",
    )


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
            "`./artisan user:resync <address>` in the webapp container makes what is missing.",
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
        steps=(_FAILED_JOBS, "`./artisan user:resync --deleted-only` in the webapp container tries again."),
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


def _daemons() -> Iterator[Alert]:
    for name, job, meaning in (
        (
            "CyrusDown",
            "imap",
            "the mailbox server does not answer: no mail is read or delivered, Postfix keeps it in its queue",
        ),
        (
            "WebappDown",
            "webapp",
            "the web application does not answer: nobody can log in anywhere, and Postfix defers mail from outside",
        ),
    ):
        yield Alert(
            name=name,
            severity="page",
            service=job,
            expr=f'up{{job="{job}"}} == 0',
            wait="5m",
            summary="{{ $labels.instance }} does not answer",
            meaning=meaning,
            steps=(
                f"`kubectl get pods -l app.kubernetes.io/name={job}`; then its log.",
                "Is its node alive? Is its volume attached?",
            ),
            source="Prometheus, up",
        )
    yield Alert(
        name="TargetDown",
        severity="ticket",
        service="monitoring",
        expr='up{job!~"imap|webapp|probe|postfix"} == 0',
        wait="10m",
        summary="{{ $labels.job }} at {{ $labels.instance }} does not answer",
        meaning="a part of the monitoring is blind",
        steps=(
            "`kubectl get pods -A -l app.kubernetes.io/part-of=kolab`; then the log of the one that is not ready.",
        ),
        source="Prometheus, up",
    )


def _storage() -> Iterator[Alert]:
    yield Alert(
        name="VolumeFull",
        severity="page",
        service="storage",
        expr=f"sum by (origin) ({grew(events('no-space'), '10m')}) > 0",
        wait="0s",
        summary="{{ $labels.origin }} says that its disk is full",
        meaning="a daemon cannot write: Postfix refuses mail for now, the database and Cyrus may stop",
        steps=(
            "Raise the size of its volume under kolab:storage and run `pulumi up`, if the storage class can grow volumes.",
            "Postfix: `postqueue -p` first; a queue full of spam is deleted, not stored on a bigger disk.",
        ),
        source=EVENTS,
    )
    yield Alert(
        name="LogStoreFull",
        severity="ticket",
        service="victorialogs",
        expr="vl_free_disk_space_bytes < 1e9 or vl_storage_is_read_only > 0",
        wait="30m",
        summary="VictoriaLogs has almost no room left",
        meaning="new log lines will be refused",
        steps=("Raise kolab:storage.logs.size, or lower kolab:monitoring.logsRetention.",),
        source="VictoriaLogs, vl_free_disk_space_bytes and vl_storage_is_read_only",
    )


def _monitoring() -> Iterator[Alert]:
    yield Alert(
        name="ProbesMissing",
        severity="page",
        service="monitoring",
        expr='absent(probe_success{probe="smtp"})',
        wait="10m",
        summary="Nobody asks port 25 whether it works",
        meaning="blackbox does not run, so that no alert about a dead service can fire",
        steps=("`kubectl get pods -l app.kubernetes.io/name=blackbox`; then its log.",),
        source=f"{_PROBE}, probe_success",
    )
    yield Alert(
        name="LogCollectorMissing",
        severity="ticket",
        service="vector",
        expr='absent(up{job="vector"} == 1)',
        wait="10m",
        summary="No log collector answers",
        meaning="no log is stored and no alert about log lines can fire, lost client addresses included",
        steps=("`kubectl get pods -A -l app.kubernetes.io/name=vector`; then its log.",),
        source="Prometheus, up",
    )
    yield Alert(
        name="LogsDropped",
        severity="ticket",
        service="vector",
        expr=f"sum({grew('vector_buffer_discarded_events_total', '15m')}) > 0",
        wait="5m",
        summary="Log lines are thrown away",
        meaning="VictoriaLogs was away or too slow for longer than the buffer lasts",
        steps=("`kubectl get pods -l app.kubernetes.io/name=victorialogs`; then its log.",),
        source="vector, https://vector.dev/docs/reference/configuration/sources/internal_metrics/",
    )
    yield Alert(
        name="NotificationsFailing",
        severity="ticket",
        service="alertmanager",
        expr="sum by (integration) (increase(alertmanager_notifications_failed_total[15m])) > 0",
        wait="15m",
        summary="Alerts cannot be sent by {{ $labels.integration }}",
        meaning="the next alert may reach nobody",
        steps=(
            "Log of service alertmanager.",
            "By mail: `noreply@` must be able to log in; see the log of service postfix.",
        ),
        source="Alertmanager, alertmanager_notifications_failed_total",
    )
    yield Alert(
        name="RulesFailing",
        severity="ticket",
        service="prometheus",
        expr="sum(increase(prometheus_rule_evaluation_failures_total[15m])) > 0",
        wait="15m",
        summary="Prometheus cannot evaluate some rules",
        meaning="an alert is broken and will not fire",
        steps=("/prometheus/rules shows the error beside the rule.",),
        source="Prometheus, prometheus_rule_evaluation_failures_total",
    )
