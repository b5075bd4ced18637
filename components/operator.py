"""What the cluster's Prometheus reads and judges. The objects are for its operator; their content is decided in model/monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes import apiextensions, meta

from components.daemon import Site
from components.labels import labels_of

_GROUP = "monitoring.coreos.com"


@dataclass(frozen=True, kw_only=True)
class PrometheusOperatorArgs:
    """Inputs of PrometheusOperator: specs by name of the job, that of the rules, and labels that selectors ask for."""

    scrape_configs: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, Any]
    labels: Mapping[str, str]


class PrometheusOperator(pulumi.ComponentResource):
    """A ScrapeConfig for each job, and one PrometheusRule."""

    def __init__(
        self,
        name: str,
        site: Site,
        args: PrometheusOperatorArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kolab:index:PrometheusOperator", name, {}, opts)
        self._name, self._site, self._labels = name, site, args.labels
        for job, spec in args.scrape_configs.items():
            self._object(job, f"{_GROUP}/v1alpha1", "ScrapeConfig", spec)
        self._object("rules", f"{_GROUP}/v1", "PrometheusRule", args.rules, called="kolab")
        self.register_outputs({})

    def _object(
        self, role: str, api_version: str, kind: str, spec: Mapping[str, Any], *, called: str | None = None
    ) -> None:
        apiextensions.CustomResource(
            f"{self._name}-{role}",
            api_version=api_version,
            kind=kind,
            metadata=meta.v1.ObjectMetaArgs(
                name=called or role,
                namespace=self._site.namespace,
                # Theirs last: what their selectors do not find is never read.
                labels={**labels_of("monitoring"), **self._labels},
            ),
            spec=dict(spec),
            opts=pulumi.ResourceOptions(parent=self),
        )
