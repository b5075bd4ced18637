"""CiliumNetworkPolicies: what daemons and nodes say to each other, where Cilium closes pods off.

They stand beside the NetworkPolicies, which Cilium enforces as well: what one of both allows is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, meta

from components.daemon import Site
from components.labels import labels_of, selector_of
from model.topology import Daemon, NodeConnection

_Rule = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class CiliumArgs:
    """Inputs of Cilium. `elsewhere` are daemons of the namespace of the logs."""

    connections: Sequence[NodeConnection]
    elsewhere: Sequence[Daemon]


class Cilium(pulumi.ComponentResource):
    """One policy for each daemon that has to do with nodes."""

    def __init__(
        self,
        name: str,
        site: Site,
        logs: pulumi.Input[str] | None,
        args: CiliumArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kolab:index:Cilium", name, {}, opts)
        for daemon in dict.fromkeys(each.daemon for each in args.connections):
            own = [each for each in args.connections if each.daemon == daemon]
            namespace = logs if logs is not None and daemon in args.elsewhere else site.namespace
            apiextensions.CustomResource(
                f"{name}-{daemon.name}",
                api_version="cilium.io/v2",
                kind="CiliumNetworkPolicy",
                metadata=meta.v1.ObjectMetaArgs(
                    name=daemon.name, namespace=namespace, labels=labels_of(daemon.name)
                ),
                spec={"endpointSelector": {"matchLabels": selector_of(daemon.name)}} | _directions(own),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def _directions(connections: Sequence[NodeConnection]) -> dict[str, list[_Rule]]:
    """A direction without rules must be left out: an empty one would close it."""
    inwards = [_rule("fromEntities", each) for each in connections if each.inwards]
    outwards = [_rule("toEntities", each) for each in connections if not each.inwards]
    return {way: rules for way, rules in (("ingress", inwards), ("egress", outwards)) if rules}


def _rule(way: str, connection: NodeConnection) -> _Rule:
    ports = [{"port": str(port.number), "protocol": port.protocol} for port in connection.ports]
    return {way: list(connection.entities), "toPorts": [{"ports": ports}]}
