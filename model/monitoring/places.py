"""Where the monitoring finds things: names of Services across its two namespaces, and paths behind the proxy."""

from __future__ import annotations

from model.names import Names
from model.settings import Settings
from model.topology import VECTOR, Daemon, Sidecar

POSTFIX_PODS = "postfix-pods"
"""Headless Service that lists every Postfix pod, ready or not: each has a queue of its own to read."""

PROMETHEUS_PATH = "/prometheus"
ALERTMANAGER_PATH = "/alertmanager"
LOGS_PATH = "/select"
"""Paths under which the proxy shows the three web interfaces (upstream: docs, section "Monitoring")."""


def logs_namespace(settings: Settings) -> str:
    """Namespace of the log collector: it alone mounts folders of the node, which "restricted" forbids."""
    return f"{settings.kubernetes.namespace}-logs"


def host(settings: Settings, daemon: Daemon | Sidecar, *, service: str | None = None) -> str:
    """Full name of a daemon's Service, the same from both namespaces."""
    namespace = logs_namespace(settings) if daemon is VECTOR else settings.kubernetes.namespace
    return f"{service or daemon.name}.{namespace}.svc.{settings.kubernetes.cluster_domain}"


def at(settings: Settings, daemon: Daemon, port: str) -> str:
    """host:port of a daemon, with its full name."""
    return f"{host(settings, daemon)}:{daemon.port(port).number}"


def within(settings: Settings, daemon: Daemon, port: str) -> str:
    """host:port of a daemon for whoever reads the numbers: the cluster's Prometheus needs the full name."""
    return daemon.at(port) if settings.monitoring.own else at(settings, daemon, port)


def external_url(settings: Settings, path: str) -> str:
    """What a browser types: links in alert mails start with it."""
    return f"https://{Names.of(settings).website}{path}"
