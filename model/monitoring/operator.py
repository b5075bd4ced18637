"""What a prometheus-operator is given: the jobs of prometheus.yml as ScrapeConfigs, the alerts as a PrometheusRule.

Its Prometheus reads a whole cluster, other stacks and other people's daemons of the same names among them. So all
numbers of this stack carry its domain as the label `stack`, which is what `external_labels` say elsewhere, and every
alert asks for it.
Source: https://prometheus-operator.dev/docs/api-reference/api/ (ScrapeConfig: v1alpha1, PrometheusRule: v1)
"""

from __future__ import annotations

from typing import Any

from pydantic.alias_generators import to_camel

from model.monitoring import prometheus, rules
from model.monitoring.scope import scoped
from model.settings import Settings

STACK = "stack"
"""The label that tells stacks apart."""
CRDS = ("scrapeconfigs.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com")
"""What the operator brings. The first came with its release 0.65."""


def scrape_configs(settings: Settings) -> dict[str, dict[str, Any]]:
    """Name of a job -> the spec of its ScrapeConfig."""
    return {job["job_name"]: _scrape_config(settings, job) for job in prometheus.jobs(settings)}


def rule(settings: Settings) -> dict[str, Any]:
    """The spec of the PrometheusRule."""
    groups = [
        {"name": f"kolab-{group['name']}", "rules": [_scoped(settings, each) for each in group["rules"]]}
        for group in rules.groups(settings)
    ]
    return {"groups": groups}


def _scrape_config(settings: Settings, job: dict[str, Any]) -> dict[str, Any]:
    name, relabel = job["job_name"], job.get("relabel_configs", [])
    labels = {"job": name, STACK: settings.domain}
    more = [{"target_label": label, "replacement": value} for label, value in labels.items()]
    rest = {key: value for key, value in job.items() if key not in ("job_name", "relabel_configs")}
    converted: dict[str, Any] = _camel({**rest, "relabelings": [*relabel, *more]})
    return converted


def _camel(value: Any, *, keys: bool = True) -> Any:
    """Words of prometheus.yml in those of Kubernetes. The names of labels stay."""
    if isinstance(value, list):
        return [_camel(each, keys=keys) for each in value]
    if isinstance(value, dict):
        return {
            _key(key) if keys else key: _camel(each, keys=keys and key != "labels")
            for key, each in value.items()
        }
    return value


def _key(word: str) -> str:
    return "dnsSDConfigs" if word == "dns_sd_configs" else to_camel(word)


def _scoped(settings: Settings, one: dict[str, Any]) -> dict[str, Any]:
    return {
        **one,
        "expr": scoped(one["expr"], STACK, settings.domain),
        # An expression that sums up has lost its labels.
        "labels": {**one["labels"], STACK: settings.domain},
    }
