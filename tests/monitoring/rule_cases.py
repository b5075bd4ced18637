"""For each alert: numbers at which it must fire, and numbers near them at which it must not."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 1440
"""Minutes."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Series in promtool's notation: `bad` makes the alert fire at `after`, `good` does not.

    They have a value each `step` minutes, and the rule is evaluated as often: whole days of minutes take seconds.
    """

    bad: dict[str, str]
    good: dict[str, str]
    after: str = "30m"
    step: int = 1


def _events(event: str, **labels: str) -> str:
    wanted = "".join(f',{key}="{value}"' for key, value in labels.items())
    return f'kolab_log_events_total{{event="{event}",instance="n1"{wanted}}}'


_DOMAIN = 'probe_success{probe="domain-certificate",instance="example.net"}'


def _probe(name: str) -> Case:
    series = f'probe_success{{probe="{name}",instance="x"}}'
    # A single lost answer is no outage.
    return Case(bad={series: "1x5 0x60"}, good={series: "1x10 0 1x60"})


def _names(probe: str) -> Case:
    asked = f'probe="{probe}",instance="x",question="q"'
    success, answered = f"probe_success{{{asked}}}", f"probe_dns_query_succeeded{{{asked}}}"
    # Silence is not a wrong answer.
    return Case(bad={success: "1x5 0x60", answered: "1x65"}, good={success: "1x5 0x60", answered: "0x65"})


def _down(job: str) -> Case:
    series = f'up{{job="{job}",instance="x"}}'
    return Case(bad={series: "1x5 0x60"}, good={series: "1x10 0 1x60"})


def _queue(queue: str) -> str:
    return f'postfix_showq_message_age_seconds_count{{queue="{queue}",instance="p1"}}'


_OLDER_THAN_A_DAY = 'postfix_showq_message_age_seconds_bucket{queue="deferred",instance="p1",le="%s"}'


def _kept(engine: str) -> Case:
    series = _events("backup", detail=engine)
    # Every day, and then not for two days; a first one counts, though its counter is born with it.
    step = 10
    day = DAY // step
    daily = f"1x{day - 1} 2x{2 * day} 3x{10 * day}"
    return Case(
        bad={series: f"1x{day - 1} 2x{day - 1} 3x{3 * day}"},
        good={series: daily, _events("backup", detail="another"): "1x9"},
        after="6100m",
        step=step,
    )


def _drilled(engine: str) -> Case:
    series = _events("drill", detail=engine)
    step, day = 10, DAY // 10
    # Every week, and then never again.
    return Case(
        bad={series: f"1x{day - 1} 2x{20 * day}"},
        good={series: f"1x{7 * day - 1} 2x{7 * day} 3x{20 * day}"},
        after="15000m",
        step=step,
    )


_BACK = 'kolab_round_trip_last_success_timestamp_seconds{instance="r1"}'

_DMARC = 'kolab_dmarc_messages{domain="example.org",source="%s",verdict="%s",instance="r1"}'
_TLS = 'kolab_tls_sessions{domain="example.org",outcome="%s",instance="r1"}'
_LOOKED = 'kolab_reports_last_look_timestamp_seconds{instance="r1"}'

CASES = {
    # Others who write in our name are what DMARC is for; a few failures are one odd receiver.
    "OwnMailFailsDmarc": Case(
        bad={_DMARC % ("ours", "aligned"): "100x200", _DMARC % ("ours", "failed"): "0x20 10x180"},
        good={
            _DMARC % ("ours", "aligned"): "100x200",
            _DMARC % ("ours", "failed"): "0x20 5x180",
            _DMARC % ("others", "aligned"): "0x200",
            _DMARC % ("others", "failed"): "5000x200",
        },
        after="100m",
    ),
    "SendersCannotEncrypt": Case(
        bad={_TLS % "good": "100x200", _TLS % "failed": "0x20 10x180"},
        good={_TLS % "good": "1000x200", _TLS % "failed": "0x20 40x180"},
        after="100m",
    ),
    # Every quarter of an hour, and then never again; a new pod that has not looked yet is no such thing.
    "ReportsUnread": Case(
        bad={_LOOKED: "0 0 60" + "x200"},
        good={_LOOKED: "0 0" + "".join(f" {60 * m}" for m in range(2, 60)) + " 0x40"},
        after="95m",
    ),
    # Every five minutes, and then never again; a new pod that knows of none yet is no such thing.
    "RoundTripLate": Case(
        bad={_BACK: "0 0 300 300 300 600 600 600x60"},
        good={_BACK: "0 0" + "".join(f" {60 * m}" for m in range(2, 35)) + " 0x20"},
        after="45m",
    ),
    "RoundTripSlow": Case(
        bad={'kolab_round_trip_seconds{instance="r1"}': "2x5 61x60"},
        good={'kolab_round_trip_seconds{instance="r1"}': "2x5 300x9 2 300x9 59x20"},
        after="34m",
    ),
    "DatabaseNotDrilled": _drilled("database"),
    "MailNotDrilled": _drilled("mail"),
    "BackupDrillFailed": Case(
        bad={_events("drill-failed"): "_x22 1x60"},
        good={_events("drill", detail="mail"): "_x22 1x60"},
    ),
    "ReverseNameGone": _names("ptr"),
    "DkimKeyGone": _names("dkim"),
    "RecordsDiffer": _names("records"),
    "AddressListed": _names("blocklist"),
    "NamesUnanswered": Case(
        bad={'probe_dns_query_succeeded{probe="ptr",instance="x",question="q"}': "1x5 0x60"},
        good={'probe_dns_query_succeeded{probe="ptr",instance="x",question="q"}': "1x10 0x9 1x60"},
        after="50m",
    ),
    "DatabaseNotBackedUp": _kept("database"),
    "MailNotBackedUp": _kept("mail"),
    "FilesNotBackedUp": _kept("files"),
    "SmtpDown": _probe("smtp"),
    "ImapDown": _probe("imaps"),
    "SubmissionDown": _probe("submissions"),
    "SieveDown": _probe("sieve"),
    "WebsiteDown": _probe("website"),
    "WebmailDown": _probe("webmail"),
    "OfficeDown": _probe("office"),
    "MtaStsPolicyWrong": _probe("mta-sts"),
    "DomainCertificateMissing": Case(
        bad={_DOMAIN: "0x120"},
        # An authority may take its time with a domain that has just come.
        good={_DOMAIN: "0x50 1x70"},
        after="2h",
    ),
    # Asked when topology lets blackbox through to them.
    "DatabaseDown": _probe("database"),
    "RedisDown": _probe("redis"),
    "CyrusDown": _down("imap"),
    "WebappDown": _down("webapp"),
    "TargetDown": Case(
        bad={'up{job="victorialogs",instance="x"}': "0x60"},
        # These have alerts of their own.
        good={
            f'up{{job="{job}",instance="x"}}': "0x60"
            for job in ("imap", "webapp", "probe", "domains", "postfix")
        },
    ),
    "ProbesMissing": Case(
        bad={'probe_success{probe="imaps",instance="x"}': "1x60"},
        good={'probe_success{probe="smtp",instance="x"}': "0x60"},
    ),
    "CertificateExpiresSoon": Case(
        bad={'probe_ssl_earliest_cert_expiry{instance="x"}': f"{13 * 86400}x180"},
        good={'probe_ssl_earliest_cert_expiry{instance="x"}': f"{15 * 86400}x180"},
        after="2h",
    ),
    "CertificateExpiresNow": Case(
        bad={'probe_ssl_earliest_cert_expiry{instance="x"}': f"{2 * 86400}x60"},
        good={'probe_ssl_earliest_cert_expiry{instance="x"}': f"{4 * 86400}x60"},
    ),
    "PostfixPodMissing": Case(
        bad={'up{job="postfix",instance="p1"}': "1x60"},
        good={'up{job="postfix",instance="p1"}': "1x60", 'up{job="postfix",instance="p2"}': "1x60"},
    ),
    "Watchdog": Case(bad={"up": "0x60"}, good={}),
    "MailDiscarded": Case(
        bad={_events("filter", detail="blocked infected"): "0x22 1x60"},
        good={
            _events("filter", detail="passed spam"): "0+5x60",
            _events("filter", detail="passed clean"): "0+5x60",
        },
    ),
    "DatabaseConnectionsExhausted": Case(
        bad={_events("no-connection", origin="webapp"): "_x22 1x60"},
        good={_events("smtp-client", origin="postfix"): "0+5x60"},
    ),
    "RedisFull": Case(
        bad={_events("redis-full", origin="webapp"): "_x22 1x60"},
        good={_events("no-connection", origin="webapp"): "0+5x60"},
    ),
    "BulkSender": Case(
        bad={_events("submission", detail="jane@example.org"): "0+6x120"},
        # Many people who each send little.
        good={_events("submission", detail=f"u{n}@example.org"): "0+4x120" for n in range(5)},
        after="90m",
    ),
    "UsersSuspended": Case(
        bad={'kolab_users_count{state="suspended",instance="w"}': "2x70 5x60"},
        good={
            'kolab_users_count{state="suspended",instance="w"}': "5x70 2x60",
            'kolab_users_count{state="active",instance="w"}': "0+1x130",
        },
        after="90m",
    ),
    "ClientAddressLost": Case(
        # The counter is born with its first line: no increase() sees that one.
        bad={_events("smtp-client", network="cluster"): "_x22 1x60"},
        good={
            _events("smtp-client", network="public"): "0+5x60",
            _events("smtp-reject", network="local"): "0+5x60",
            _events("delivery-remote", network="cluster"): "0+5x60",
        },
    ),
    "PrivateSmtpClient": Case(
        bad={_events("smtp-reject", network="private"): "0+1x60"},
        good={_events("smtp-reject", network="public"): "0+1x60"},
    ),
    "PasswordGuessing": Case(
        bad={_events("auth-failure", origin="proxy"): "0+20x60"},
        good={_events("auth-failure", origin="proxy"): "0+10x60"},
        after="50m",
    ),
    "NoMailAccepted": Case(
        bad={_events("smtp-reject", network="public"): "0+1x200"},
        good={
            _events("smtp-reject", network="public"): "0+1x200",
            _events("smtp-client", network="public"): "0 0 0+0.05x200",
        },
        after="3h",
    ),
    "QueueStuck": Case(
        bad={_queue("active"): "90x60", _queue("incoming"): "20x60"},
        good={_queue("active"): "90x60", _queue("deferred"): "900x60"},
    ),
    "QueueDeferredGrowing": Case(
        bad={_queue("deferred"): "60+1x240"}, good={_queue("deferred"): "600-1x240"}, after="3h"
    ),
    "QueueOld": Case(
        # Prometheus 3 writes the bound of a bucket as a float.
        bad={_queue("deferred"): "50x240", _OLDER_THAN_A_DAY % "100000.0": "10x240"},
        good={_queue("deferred"): "50x240", _OLDER_THAN_A_DAY % "100000": "45x240"},
        after="2h",
    ),
    "QueueHeld": Case(bad={_queue("hold"): "1x240"}, good={_queue("hold"): "0x240"}, after="2h"),
    "QueueUnreadable": Case(
        bad={'postfix_up{instance="p1",path="unix:///var/spool/postfix/public/showq"}': "0x60"},
        # The exporter reports the log it does not read as down, for ever.
        good={'postfix_up{instance="p1",path="/dev/null"}': "0x60"},
    ),
    "LocalDeliveryFailing": Case(
        bad={_events("delivery-local", detail="deferred"): "0+3x60"},
        good={
            _events("delivery-local", detail="sent"): "0+30x60",
            _events("delivery-local", detail="bounced"): "0+0.5x60",
        },
    ),
    "RemoteDeliveryFailing": Case(
        bad={
            _events("delivery-remote", detail="deferred"): "0+2x180",
            _events("delivery-remote", detail="sent"): "0+1x180",
        },
        good={
            _events("delivery-remote", detail="deferred"): "0+2x180",
            _events("delivery-remote", detail="sent"): "0+3x180",
        },
        after="2h",
    ),
    "UsersWithoutMailbox": Case(
        bad={"kolab_users_failed_init": f"2x{DAY} 3x{DAY}"},
        # A day after the installation the two service accounts appear in the number, and stay.
        good={"kolab_users_failed_init": f"0x{DAY} 2x{2 * DAY}"},
        after=f"{DAY + 120}m",
    ),
    "UsersNotCleanedUp": Case(
        bad={"kolab_users_deleted_with_missing_cleanup": "1x600"},
        good={"kolab_users_deleted_with_missing_cleanup": "1x120 0x600"},
        after="9h",
    ),
    "HorizonStopped": Case(
        bad={'up{job="webapp",instance="x"}': "1x60"},
        good={'up{job="webapp",instance="x"}': "1x60", 'kolab_horizon_queue_size{queue="default"}': "0x60"},
    ),
    "JobsWaiting": Case(
        bad={'kolab_horizon_queue_wait_seconds{queue="mail"}': "61x60"},
        good={'kolab_horizon_queue_wait_seconds{queue="mail"}': "60x60"},
    ),
    "JobsFailing": Case(
        bad={"kolab_horizon_recent_failed_jobs": "4x80 5x80"},
        good={"kolab_horizon_recent_failed_jobs": "5x80 4x80"},
        after="100m",
    ),
    "VolumeFull": Case(
        bad={_events("no-space", origin="mariadb"): "_x25 1x60"},
        good={_events("no-space", origin="mariadb"): "1x60"},
    ),
    "LogStoreFull": Case(
        bad={'vl_free_disk_space_bytes{path="/data"}': "9e8x120"},
        good={
            'vl_free_disk_space_bytes{path="/data"}': "2e9x120",
            'vl_storage_is_read_only{path="/data"}': "0x120",
        },
        after="1h",
    ),
    "LogCollectorMissing": Case(
        bad={'up{job="vector",instance="n1"}': "0x60"}, good={'up{job="vector",instance="n1"}': "1x60"}
    ),
    "LogsDropped": Case(
        bad={'vector_buffer_discarded_events_total{instance="n1"}': "0+5x60"},
        good={'vector_buffer_discarded_events_total{instance="n1"}': "7x60"},
    ),
    "NotificationsFailing": Case(
        bad={'alertmanager_notifications_failed_total{integration="email"}': "0+1x60"},
        good={'alertmanager_notifications_failed_total{integration="email"}': "3x60"},
        after="50m",
    ),
    "RulesFailing": Case(
        bad={'prometheus_rule_evaluation_failures_total{rule_group="mail"}': "0+1x60"},
        good={'prometheus_rule_evaluation_failures_total{rule_group="mail"}': "3x60"},
        after="50m",
    ),
}
