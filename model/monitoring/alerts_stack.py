"""Alerts about everything around the mail: probes, certificates, daemons, volumes, the monitoring itself."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import EVENTS, Alert, events, grew
from model.monitoring.probes import Probe, Severity, probes
from model.settings import Settings
from model.topology import MINIO, VERSITYGW
from model.topology import daemons as topology_daemons
from model.types import bytes_of

_PROBE = "blackbox, https://github.com/prometheus/blackbox_exporter"
_DAY = 86400
WATCHDOG = "Watchdog"
"""The alert that always fires."""


def stack(settings: Settings) -> Iterator[Alert]:
    """Alerts that are not about single messages."""
    asked = {probe.name: probe for probe in probes(settings)}
    for probe in asked.values():
        yield _silent(probe)
    yield from _certificates()
    yield from _daemons()
    yield from _storage(settings)
    yield from _backups(settings)
    yield from _drills(settings)
    yield from _monitoring()
    if settings.monitoring.own:
        yield from _engines()
    if settings.monitoring.alerts.heartbeat is not None:
        yield _watchdog()


def _silent(probe: Probe) -> Alert:
    first = probe.first or f"`kubectl get pods -l app.kubernetes.io/name={probe.service}`; then its log."
    second = f"Ask the same question by hand: `/probe?module={probe.module}&target={probe.target}&debug=true` at blackbox."
    return Alert(
        name=probe.alert,
        severity=probe.severity,
        service=probe.service,
        expr=f'probe_success{{probe="{probe.name}"}} == 0',
        wait=probe.wait or ("3m" if probe.severity == "page" else "10m"),
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
        expr='up{job!~"imap|webapp|probe|domains|names|postfix"} == 0',
        wait="10m",
        summary="{{ $labels.job }} at {{ $labels.instance }} does not answer",
        meaning="a part of the monitoring is blind",
        steps=(
            "`kubectl get pods -A -l app.kubernetes.io/part-of=kolab`; then the log of the one that is not ready.",
        ),
        source="Prometheus, up",
    )


def _storage(settings: Settings) -> Iterator[Alert]:
    yield Alert(
        name="VolumeFull",
        severity="page",
        service="storage",
        expr=f"sum by (origin) ({grew(events('no-space'), '10m')}) > 0",
        wait="0s",
        summary="{{ $labels.origin }} says that its disk is full",
        meaning="a daemon cannot write: Postfix refuses mail for now, the database and Cyrus may stop",
        steps=(
            "Raise the size of its volume under kolab:storage and run `make up`, if the storage class can grow volumes.",
            "Postfix: `postqueue -p` first; a queue full of spam is deleted, not stored on a bigger disk.",
        ),
        source=EVENTS,
    )
    yield Alert(
        name="LogStoreFull",
        severity="ticket",
        service="victorialogs",
        # The store itself keeps a fifth of its volume free.
        expr=f"vl_free_disk_space_bytes < {bytes_of(settings.storage.logs.size) // 10} or vl_storage_is_read_only > 0",
        wait="30m",
        summary="VictoriaLogs has almost no room left",
        meaning="new log lines will be refused",
        steps=("Raise kolab:storage.logs.size, or lower kolab:monitoring.logsRetention.",),
        source="VictoriaLogs, vl_free_disk_space_bytes and vl_storage_is_read_only",
    )


def _backups(settings: Settings) -> Iterator[Alert]:
    if settings.backup is None:
        return
    daemons = {"Database": ("backup-database", "database"), "Mail": ("imap", "mail")}
    running = topology_daemons(settings)
    if VERSITYGW in running:
        daemons["Files"] = ("versitygw", "objects")
    elif MINIO in running:
        daemons["Files"] = ("minio", "files")
    # One may fail, and the next one has to come.
    hours = 2 * settings.backup.every + 1
    for engine, (service, said) in daemons.items():
        kept = events("backup", detail=said)
        yield Alert(
            name=f"{engine}NotBackedUp",
            severity="ticket",
            service=service,
            expr=f"absent({grew(kept, f'{hours}h')})",
            wait="1h",
            summary=f"No backup of the {engine.lower()} for {hours} hours",
            meaning="what is lost now cannot be restored from later than the last backup that `./kolab backup list` shows",
            steps=(
                f"The log of container backup-{engine.lower()} in the pods of {service} has the reason in one sentence.",
                "`./kolab backup now` makes one; then `./kolab backup list`.",
            ),
            source=EVENTS,
        )


def _drills(settings: Settings) -> Iterator[Alert]:
    if settings.backup is None or not settings.backup.drills:
        return
    log = "The log of the newest Job of drill-mail or drill-database has the reason in one sentence."
    yield Alert(
        name="BackupDrillFailed",
        severity="page",
        service="drill-mail",
        expr=f"sum({grew(events('drill-failed'), '1h')}) > 0",
        wait="1m",
        summary="A backup did not come back",
        meaning="what is lost now may be lost for good",
        steps=(
            log,
            "`./kolab backup now` makes a new backup; then `./kolab backup drill` tries that one.",
            "A repository that is spoiled is seen by `restic check --read-data`.",
        ),
        source=EVENTS,
    )
    if settings.backup.drill != "weekly":
        # Longer than metrics are kept.
        return
    for engine in ("database", "mail"):
        yield Alert(
            name=f"{engine.capitalize()}NotDrilled",
            severity="ticket",
            service=f"drill-{engine}",
            expr=f"absent({grew(events('drill', detail=engine), '1h')})",
            wait="9d",
            summary=f"No backup of the {engine} was tried for nine days",
            meaning="nobody knows whether the backups can be restored",
            steps=(
                f"`kubectl get pods -l app.kubernetes.io/name=drill-{engine}`: one that is Pending has no room for its volumes.",
                log,
                "`./kolab backup drill` tries the newest backup now.",
            ),
            source=EVENTS,
        )


def _watchdog() -> Alert:
    return Alert(
        name=WATCHDOG,
        severity="ticket",
        service="watchdog",
        expr="vector(1)",
        wait="0s",
        summary="Monitoring is alive",
        meaning="this one always fires, and goes to kolab:monitoring.alerts.heartbeat alone: what is there calls you when it"
        " stops coming, since then the cluster, its network or its monitoring is down and no other alert can arrive",
        steps=(
            "It stopped: is the cluster there, and does it reach the world? `kubectl get pods -l app.kubernetes.io/name=prometheus`,"
            " then alertmanager.",
            "Its log says why Alertmanager could not send.",
        ),
        source="Prometheus itself",
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


def _engines() -> Iterator[Alert]:
    """Those of the cluster, where they are not ours, have alerts of their own."""
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
