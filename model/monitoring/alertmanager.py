"""alertmanager.yml: who hears of what, and how often.

`page` means that mail or logins stop or get unsafe now; `ticket` means somebody should look during the day.
Source: https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

from typing import Any

from model.monitoring.document import to_yaml
from model.monitoring.places import ALERTMANAGER_PATH, external_url, host
from model.settings import Settings
from model.topology import ALERTMANAGER, POSTFIX
from model.urls import SECRET as WEBHOOK_IS_SECRET

PATH = "/etc/alertmanager"
DATA = "/alertmanager"
PASSWORD_FILE = "/kolab/smtp/password"  # noqa: S105 (a path)
"""The password of noreply@: the mailbox that all system mail comes from may also send alerts."""

WEBHOOK_FILE = "/kolab/webhook/url"
"""The URL of the webhook, where it holds a token."""

_OPERATOR = "operator"
_NOBODY = "nobody"


def config(settings: Settings) -> str:
    """alertmanager.yml. Without any receiver the alerts are only shown at /alertmanager."""
    receiver = _receiver(settings)
    return to_yaml(
        {
            "global": _global(settings),
            "route": _routes(receiver["name"]),
            "inhibit_rules": [
                # What pages is the cause of what only troubles: one message for one broken daemon.
                {
                    "source_matchers": ["severity = page"],
                    "target_matchers": ["severity = ticket"],
                    "equal": ["service"],
                },
                {
                    "source_matchers": ["alertname = CertificateExpiresNow"],
                    "target_matchers": ["alertname = CertificateExpiresSoon"],
                    "equal": ["instance"],
                },
                # Nobody can log in, so nothing that needs a login works either.
                {
                    "source_matchers": ["alertname = DatabaseDown"],
                    "target_matchers": ["alertname =~ WebsiteDown|WebmailDown|WebappDown|HorizonStopped"],
                },
            ],
            "receivers": [receiver],
        }
    )


def flags(settings: Settings) -> tuple[str, ...]:
    """Command line of Alertmanager: one instance, so no gossip with others."""
    return (
        f"--config.file={PATH}/alertmanager.yml",
        f"--storage.path={DATA}",
        f"--web.external-url={external_url(settings, ALERTMANAGER_PATH)}",
        f"--web.listen-address=:{ALERTMANAGER.port('http').number}",
        "--cluster.listen-address=",
    )


def sends_mail(settings: Settings) -> bool:
    """Whether Alertmanager needs the password of noreply@."""
    return settings.monitoring.alerts.email is not None


def _global(settings: Settings) -> dict[str, Any]:
    if not sends_mail(settings):
        return {"resolve_timeout": "5m"}
    sender = f"noreply@{settings.domain}"
    return {
        "resolve_timeout": "5m",
        "smtp_smarthost": POSTFIX.at("submission"),
        "smtp_from": sender,
        # Postfix refuses the default, "localhost": it wants a full name on this port.
        "smtp_hello": host(settings, ALERTMANAGER),
        "smtp_auth_username": sender,
        "smtp_auth_password_file": PASSWORD_FILE,
        "smtp_require_tls": True,
    }


def _receiver(settings: Settings) -> dict[str, Any]:
    alerts = settings.monitoring.alerts
    if alerts.email is None and alerts.webhook is None:
        return {"name": _NOBODY}
    receiver: dict[str, Any] = {"name": _OPERATOR}
    if alerts.email is not None:
        receiver["email_configs"] = [
            {
                "to": alerts.email,
                "send_resolved": True,
                # An expired certificate must not silence the mail that says so. The hop stays between two pods.
                "tls_config": {"insecure_skip_verify": True},
            }
        ]
    if alerts.webhook is not None:
        hidden = alerts.webhook == WEBHOOK_IS_SECRET
        url = {"url_file": WEBHOOK_FILE} if hidden else {"url": alerts.webhook}
        receiver["webhook_configs"] = [{**url, "send_resolved": True}]
    return receiver


def _routes(receiver: str) -> dict[str, Any]:
    return {
        "receiver": receiver,
        "group_by": ["severity", "service"],
        "group_wait": "5m",
        "group_interval": "30m",
        "repeat_interval": "24h",
        "routes": [
            {
                "matchers": ["severity = page"],
                "group_wait": "30s",
                "group_interval": "5m",
                "repeat_interval": "1h",
            }
        ],
    }
