"""prometheus.yml and Prometheus' flags.

What is scraped follows the connections of model/topology that start at Prometheus.

- webapp: `/api/webhooks/metrics` answers only to a Host in APP_SERVICES_ALLOWED_DOMAINS, which holds the Service
  name (upstream: AllowedHosts.php), so the target is the Service and not the pods. Each scrape reaches one of the
  replicas; that is right, since every number comes from the database and Redis (upstream: MetricsController.php).
- imap: promstatsd renews the numbers every 120 s and may take more than 10 s (upstream: imapd.conf).
- postfix and vector: every pod has numbers of its own, so they are found through headless Services.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from model.monitoring.document import to_yaml
from model.monitoring.places import (
    ALERTMANAGER_PATH,
    POSTFIX_PODS,
    PROMETHEUS_PATH,
    external_url,
    host,
    within,
)
from model.monitoring.probes import DOMAIN_CERTIFICATE, Probe, probes
from model.monitoring.world import Question, questions, resolver
from model.settings import Settings, Volume
from model.topology import (
    ALERTMANAGER,
    BLACKBOX,
    IMAP,
    LOGS,
    POSTFIX_EXPORTER,
    PROMETHEUS,
    REPORT_READER,
    ROUND_TRIP,
    VECTOR,
    WEBAPP,
    Daemon,
    Sidecar,
    scraped,
)
from model.types import bytes_of

PATH = "/etc/prometheus"
DATA = "/prometheus"
RULES = "rules.yml"


@dataclass(frozen=True, kw_only=True)
class Scrape:
    """How a daemon is scraped. `pods` is the headless Service that lists its pods, `job` its name in the numbers."""

    path: str = "/metrics"
    interval: str = "30s"
    timeout: str = "10s"
    pods: str | None = None
    job: str | None = None


SCRAPES: dict[Daemon | Sidecar, Scrape] = {
    WEBAPP: Scrape(path="/api/webhooks/metrics", interval="60s", timeout="30s"),
    IMAP: Scrape(interval="60s", timeout="50s"),
    POSTFIX_EXPORTER: Scrape(pods=POSTFIX_PODS, job="postfix"),
    VECTOR: Scrape(pods=VECTOR.name),
    LOGS: Scrape(),
    ALERTMANAGER: Scrape(path=f"{ALERTMANAGER_PATH}/metrics"),
    BLACKBOX: Scrape(),
    ROUND_TRIP: Scrape(),
    REPORT_READER: Scrape(),
}
"""Daemon -> where its numbers are."""


def config(settings: Settings) -> str:
    """prometheus.yml."""
    return to_yaml(
        {
            "global": {
                "scrape_interval": "30s",
                "scrape_timeout": "10s",
                "evaluation_interval": "30s",
                # Tells the alerts of several stacks apart.
                "external_labels": {"stack": settings.domain},
            },
            "rule_files": [f"{PATH}/{RULES}"],
            "alerting": {
                "alertmanagers": [
                    {
                        "path_prefix": ALERTMANAGER_PATH,
                        "static_configs": [{"targets": [ALERTMANAGER.at("http")]}],
                    }
                ]
            },
            "scrape_configs": [
                _static("prometheus", PROMETHEUS.at("http"), Scrape(path=f"{PROMETHEUS_PATH}/metrics")),
                *jobs(settings),
            ],
        }
    )


def flags(settings: Settings) -> tuple[str, ...]:
    """Command line of Prometheus. The paths in its links and its routes both come from the external URL."""
    return (
        f"--config.file={PATH}/prometheus.yml",
        f"--storage.tsdb.path={DATA}",
        f"--storage.tsdb.retention.time={settings.monitoring.retention}",
        f"--storage.tsdb.retention.size={room(settings.storage.metrics)}B",
        f"--web.external-url={external_url(settings, PROMETHEUS_PATH)}",
        f"--web.listen-address=:{PROMETHEUS.port('http').number}",
    )


def room(volume: Volume) -> int:
    """Bytes that may be filled before the oldest data goes: the rest is for what is being written and merged."""
    return bytes_of(volume.size) * 8 // 10


def jobs(settings: Settings) -> Iterator[dict[str, Any]]:
    """What is read of the stack, as entries of scrape_configs; Prometheus' own numbers are not among them."""
    for server, port in scraped(settings):
        yield _job(settings, server, port)
    if BLACKBOX in dict(scraped(settings)):
        at_blackbox = _at_blackbox(within(settings, BLACKBOX, "http"))
        asked = probes(settings)
        yield _probe_job("probe", [each for each in asked if each.name != DOMAIN_CERTIFICATE], at_blackbox)
        if domains := [each for each in asked if each.name == DOMAIN_CERTIFICATE]:
            # As seldom as Prometheus allows, which forgets a number after five minutes: each costs a handshake.
            yield _probe_job("domains", domains, at_blackbox, interval="4m")
        if names := questions(settings):
            yield _names_job(resolver(settings) or "", names, at_blackbox)


def _job(settings: Settings, server: Daemon | Sidecar, port: str) -> dict[str, Any]:
    """Raises KeyError for a server that SCRAPES does not know, ValueError for a sidecar that it finds by no Service."""
    scrape = SCRAPES[server]
    if scrape.pods is None:
        if isinstance(server, Sidecar):
            raise ValueError(
                f"{server.name} has no Service of its own: SCRAPES names the one that lists its pods"
            )
        return _static(scrape.job or server.name, within(settings, server, port), scrape)
    discovery = {
        "names": [host(settings, server, service=scrape.pods)],
        "type": "A",
        "port": server.port(port).number,
        "refresh_interval": "15s",
    }
    return _common(scrape.job or server.name, scrape) | {"dns_sd_configs": [discovery]}


def _static(name: str, target: str, scrape: Scrape) -> dict[str, Any]:
    return _common(name, scrape) | {"static_configs": [{"targets": [target]}]}


def _common(name: str, scrape: Scrape) -> dict[str, Any]:
    return {
        "job_name": name,
        "metrics_path": scrape.path,
        "scrape_interval": scrape.interval,
        "scrape_timeout": scrape.timeout,
    }


def _probe_job(
    name: str, asked: Sequence[Probe], at_blackbox: list[dict[str, Any]], interval: str = "30s"
) -> dict[str, Any]:
    return _common(name, Scrape(path="/probe", interval=interval, timeout="20s")) | {
        "static_configs": [
            {
                "targets": [probe.target],
                # Labels __param_* become parameters of the request (Prometheus: relabel_config).
                "labels": {
                    "__param_module": probe.module,
                    **({"__param_hostname": probe.hostname} if probe.hostname else {}),
                    "instance": probe.instance,
                    "probe": probe.name,
                    "service": probe.service,
                },
            }
            for probe in asked
        ],
        "relabel_configs": at_blackbox,
    }


def _names_job(at: str, asked: tuple[Question, ...], at_blackbox: list[dict[str, Any]]) -> dict[str, Any]:
    """Every two minutes: Prometheus forgets a number after five, and nobody's DNS is asked more often than it needs."""
    return _common("names", Scrape(path="/probe", interval="2m", timeout="20s")) | {
        "static_configs": [
            {
                "targets": [at],
                "labels": {
                    "__param_module": each.module,
                    "instance": each.about,
                    "probe": each.probe,
                    "question": each.key,
                    "service": "names",
                },
            }
            for each in asked
        ],
        "relabel_configs": at_blackbox,
    }


def _at_blackbox(blackbox: str) -> list[dict[str, Any]]:
    """What is asked about becomes a parameter, and blackbox is who is asked."""
    return [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"target_label": "__address__", "replacement": blackbox},
    ]
