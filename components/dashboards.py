"""Boards for a Grafana of the cluster: ConfigMaps that its sidecar finds by their label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta

from components.daemon import Site
from components.labels import labels_of
from model.monitoring.dashboards import LABEL


@dataclass(frozen=True, kw_only=True)
class DashboardsArgs:
    """Inputs of Dashboards: name of a file -> the board in it."""

    files: Mapping[str, str]


class Dashboards(pulumi.ComponentResource):
    """A ConfigMap for each board. Grafana itself is the cluster's."""

    def __init__(
        self, name: str, site: Site, args: DashboardsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kolab:index:Dashboards", name, {}, opts)
        for file, text in args.files.items():
            board = file.removesuffix(".json")
            core.v1.ConfigMap(
                f"{name}-{board}",
                metadata=meta.v1.ObjectMetaArgs(
                    # No pod reads it that would have to be rolled: the sidecar watches, and a board keeps its name.
                    name=f"{board}-dashboard",
                    namespace=site.namespace,
                    labels={**labels_of("monitoring"), **LABEL},
                ),
                data={file: text},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
