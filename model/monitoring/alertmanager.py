"""alertmanager.yml: who hears of what, and how often.

`page` means that mail or logins stop or get unsafe now; `ticket` means somebody should look during the day.
Source: https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

from typing import Any

from model.monitoring.alerts_stack import WATCHDOG
from model.monitoring.document import to_yaml
from model.monitoring.places import ALERTMANAGER_PATH, external_url, host
from model.settings import Settings
from model.topology import ALERTMANAGER, POSTFIX
from model.urls import SECRET as WEBHOOK_IS_SECRET

PATH = "/etc/alertmanager"
DATA = "/alertmanager"
PASSWORD_FILE = "/kolab/smtp/password"  # noqa: S105 (a path)
"""The password at the mail server that takes alerts. Here it is that of noreply@, which all system mail comes from."""

WEBHOOK_FILE = "/kolab/webhook/url"
"""The URL of the webhook, where it holds a token."""
HEARTBEAT_FILE = "/kolab/heartbeat/url"
"""The URL of the heartbeat, where it holds a token."""

_OPERATOR = "operator"
_NOBODY = "nobody"
_HEARTBEAT = "heartbeat"


def config(settings: Settings) -> str:
    """alertmanager.yml. Without any receiver the alerts are only shown at /alertmanager."""
    receiver = _receiver(settings)
    return to_yaml(
        {
            "global": _global(settings),
            "route": _routes(settings, receiver["name"]),
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
            "receivers": [receiver, *_heartbeat(settings)],
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


def password(settings: Settings) -> str | None:
    """Key of the secret with which alert mail is handed in; None when none is, or without a login."""
    alerts = settings.monitoring.alerts
    if alerts.email is None:
        return None
    if alerts.server is None:
        return "noreplyPassword"
    return "alertsServerPassword" if alerts.server.username else None


def _global(settings: Settings) -> dict[str, Any]:
    server = settings.monitoring.alerts.server
    sender = server.sender if server else f"noreply@{settings.domain}"
    username = server.username if server else sender
    found: dict[str, Any] = {"resolve_timeout": "5m"}
    if settings.monitoring.alerts.email is not None:
        found |= {
            # Alertmanager speaks TLS from the first byte where the port is 465.
            "smtp_smarthost": f"{server.host}:{server.port}" if server else POSTFIX.at("submission"),
            "smtp_from": sender,
            # Postfix refuses the default, "localhost": it wants a full name on this port.
            "smtp_hello": host(settings, ALERTMANAGER),
            "smtp_require_tls": True,
        }
    if password(settings):
        found |= {"smtp_auth_username": username, "smtp_auth_password_file": PASSWORD_FILE}
    return found


def _receiver(settings: Settings) -> dict[str, Any]:
    alerts = settings.monitoring.alerts
    if alerts.email is None and alerts.webhook is None:
        return {"name": _NOBODY}
    receiver: dict[str, Any] = {"name": _OPERATOR}
    if alerts.email is not None:
        # An expired certificate must not silence the mail that says so. The hop stays between two pods.
        trusting = {} if alerts.server else {"tls_config": {"insecure_skip_verify": True}}
        receiver["email_configs"] = [{"to": alerts.email, "send_resolved": True, **trusting}]
    if alerts.webhook is not None:
        receiver["webhook_configs"] = [{**_url(alerts.webhook, WEBHOOK_FILE), "send_resolved": True}]
    return receiver


def _heartbeat(settings: Settings) -> list[dict[str, Any]]:
    url = settings.monitoring.alerts.heartbeat
    if url is None:
        return []
    # That it stops is the message.
    return [{"name": _HEARTBEAT, "webhook_configs": [{**_url(url, HEARTBEAT_FILE), "send_resolved": False}]}]


def _url(given: str, file: str) -> dict[str, str]:
    return {"url_file": file} if given == WEBHOOK_IS_SECRET else {"url": given}


def _routes(settings: Settings, receiver: str) -> dict[str, Any]:
    alive = {
        "matchers": [f"alertname = {WATCHDOG}"],
        "receiver": _HEARTBEAT,
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "5m",
    }
    return {
        "receiver": receiver,
        "group_by": ["severity", "service"],
        "group_wait": "5m",
        "group_interval": "30m",
        "repeat_interval": "24h",
        "routes": [
            *([alive] if settings.monitoring.alerts.heartbeat is not None else []),
            {
                "matchers": ["severity = page"],
                "group_wait": "30s",
                "group_interval": "5m",
                "repeat_interval": "1h",
            },
        ],
    }
