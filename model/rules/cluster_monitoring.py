"""Whether a Prometheus of the cluster would find what mode: prometheus-operator hands it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model.catalogue import prometheus as rules
from model.findings import Finding
from model.monitoring.operator import CRDS
from model.selectors import Selector, of_namespace, selects, written
from model.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A Prometheus that an operator keeps. `name` is `namespace/name`.

    Selectors of objects: None takes none. Selectors of namespaces: None takes its own alone (Prometheus Operator: API reference, PrometheusSpec).
    """

    name: str
    rules: Selector
    rules_from: Selector
    scraped: Selector
    scraped_from: Selector

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Reader:
        """From the object."""
        spec, meta = found.get("spec") or {}, found["metadata"]
        return cls(
            name=f"{meta['namespace']}/{meta['name']}",
            rules=spec.get("ruleSelector"),
            rules_from=spec.get("ruleNamespaceSelector"),
            scraped=spec.get("scrapeConfigSelector"),
            scraped_from=spec.get("scrapeConfigNamespaceSelector"),
        )


def cluster_monitoring(
    settings: Settings, crds: frozenset[str] | None, readers: tuple[Reader, ...] | None
) -> Iterator[Finding]:
    """Findings about the operator and its Prometheus; what could not be read is not judged."""
    reader = settings.monitoring.reader
    if reader is None or crds is None:
        return
    if missing := [each for each in CRDS if each not in crds]:
        yield rules.PROMETHEUS_OPERATOR_MISSING.found(crds=" and ".join(missing))
        return
    if readers is None:
        return
    there = [each for each in readers if each.name.startswith(f"{reader.namespace}/")]
    if not there:
        known = ", ".join(sorted({each.name.partition("/")[0] for each in readers})) or "(there is none)"
        yield rules.PROMETHEUS_UNKNOWN.found(namespace=reader.namespace, namespaces=known)
        return
    judged = [list(_blind(settings, each)) for each in there]
    # One that sees all is enough.
    yield from min(judged, key=len)


def _blind(settings: Settings, prometheus: Reader) -> Iterator[Finding]:
    """What a Prometheus would not see."""
    reader, namespace = settings.monitoring.reader, settings.kubernetes.namespace
    labels = reader.labels if reader else {}
    ours = of_namespace(namespace)
    for kind, key, objects, namespaces in (
        ("ScrapeConfig", "scrapeConfig", prometheus.scraped, prometheus.scraped_from),
        ("PrometheusRule", "rule", prometheus.rules, prometheus.rules_from),
    ):
        if objects is None or not selects(objects, labels):
            asked = "is not set, so that it takes none" if objects is None else f"asks for {written(objects)}"
            yield rules.PROMETHEUS_SELECTOR.found(
                name=prometheus.name, kind=kind, selector=f"{key}Selector", asked=asked
            )
        if namespaces is None or not selects(namespaces, ours):
            yield rules.PROMETHEUS_NAMESPACES.found(
                name=prometheus.name, kind=kind, selector=f"{key}NamespaceSelector", namespace=namespace
            )
