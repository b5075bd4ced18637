"""What the parts of the composition share: the settings, the secrets, and the words to say where and how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pulumi

from components.daemon import Site
from components.pods import ANYWHERE, Placement
from model import images, topology
from model.names import Names
from model.settings import Settings
from model.sizing import Size, size_of

Secrets = Callable[[str], pulumi.Output[str]]
"""Gives the secret of a flat key, tracked as such."""


@dataclass(frozen=True, kw_only=True)
class Composition:
    """One stack while it is put together. Components never see it: they get plain values from it."""

    settings: Settings
    secret: Secrets
    site: Site
    parent: pulumi.Resource

    @property
    def names(self) -> Names:
        """Public names."""
        return Names.of(self.settings)

    def child(self) -> pulumi.ResourceOptions:
        """Options of a component of the stack."""
        return pulumi.ResourceOptions(parent=self.parent)

    def image(self, name: str) -> str:
        """Image of a container."""
        return images.reference(self.settings.images, name)

    def size(self, name: str) -> Size:
        """CPU and memory of a container."""
        return size_of(self.settings, name)

    def inside_address(self, service: str) -> str:
        """First address of a public Service on the load balancer, before any NAT."""
        return topology.load_balancer_addresses(self.settings)[service][0]

    def edge(self) -> Placement:
        """Where public pods run: on the one edge node in single-node mode, anywhere in a cluster."""
        if not self.settings.single_node:
            return ANYWHERE
        node = topology.edge_node(self.settings)
        return Placement(nodes=(node,) if node else (), together=node is None)

    def replicas(self, name: str) -> int:
        """Pods of what may run more than once."""
        return 1 if self.settings.single_node else int(getattr(self.settings.replicas, name))

    def spread(self, name: str) -> Placement:
        """Replicas on different nodes where there are several."""
        return Placement(spread=self.replicas(name) > 1)
