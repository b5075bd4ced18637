"""Pods: where they may run, and what all of their containers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pulumi
from pulumi_kubernetes import core, meta

from components.containers import Container
from model.settings import Toleration
from model.topology import Daemon, Resolver


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where pods may run. `nodes` are names of nodes; `together` keeps pods with the edge label on one node."""

    nodes: Sequence[str] = ()
    together: bool = False
    spread: bool = False


ANYWHERE = Placement()

EDGE_LABEL = {"kolab.org/edge": "main"}
"""Pods that share the one public address of single-node mode."""


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """How many pods, and where."""

    number: int
    placement: Placement


@dataclass(frozen=True, kw_only=True)
class Public:
    """How the world reaches a daemon: where its pods may run, whether they share the one public address, and the ports
    that they open on their node."""

    placement: Placement
    edge: bool
    host_ports: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Template:
    """A claim template of a StatefulSet, and the claims that its pods adopt instead of new ones."""

    name: str
    claims: Sequence[core.v1.PersistentVolumeClaim]


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod, with safe defaults for what is not given. `grace` is in seconds."""

    containers: Sequence[Container]
    init: Sequence[Container] = ()
    placement: Placement = ANYWHERE
    fs_group: int | None = None
    grace: int = 30
    edge: bool = False
    service_account: pulumi.Input[str] | None = None
    host_aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def template(
        self,
        labels: Mapping[str, str],
        selector: Mapping[str, str],
        *,
        restart: str | None = None,
        pull_secret: str | None = None,
        tolerations: Sequence[Toleration] = (),
        resolver: Resolver | None = None,
        priority: pulumi.Input[str] | None = None,
    ) -> core.v1.PodTemplateSpecArgs:
        """The pod as Kubernetes writes it. `selector` is the part of `labels` that finds all pods of the daemon."""
        volumes = {m.volume: m.source for c in (*self.init, *self.containers) for m in c.mounts if m.source}
        return core.v1.PodTemplateSpecArgs(
            metadata=meta.v1.ObjectMetaArgs(
                labels=dict(labels) | (EDGE_LABEL if self.edge else {}),
                annotations=dict(self.annotations) or None,
            ),
            spec=core.v1.PodSpecArgs(
                containers=[c.spec() for c in self.containers],
                init_containers=[c.spec() for c in self.init] or None,
                volumes=[core.v1.VolumeArgs(name=name, **source) for name, source in volumes.items()] or None,  # type: ignore[arg-type]
                # Services named redis or imap would become REDIS_PORT=tcp://..., which the web application reads as config.
                enable_service_links=False,
                automount_service_account_token=self.service_account is not None,
                service_account_name=self.service_account,
                termination_grace_period_seconds=self.grace,
                restart_policy=restart,
                priority_class_name=priority,
                security_context=core.v1.PodSecurityContextArgs(
                    fs_group=self.fs_group,
                    fs_group_change_policy="OnRootMismatch" if self.fs_group is not None else None,
                    seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
                ),
                dns_policy=resolver.policy if resolver else None,
                dns_config=_dns_config(resolver) if resolver else None,
                affinity=_affinity(self.placement),
                topology_spread_constraints=[
                    core.v1.TopologySpreadConstraintArgs(
                        max_skew=1,
                        topology_key="kubernetes.io/hostname",
                        when_unsatisfiable="ScheduleAnyway",
                        label_selector=meta.v1.LabelSelectorArgs(match_labels=dict(selector)),
                    )
                ]
                if self.placement.spread
                else None,
                tolerations=[
                    core.v1.TolerationArgs(
                        key=each.key, operator=each.operator, value=each.value, effect=each.effect
                    )
                    for each in tolerations
                ]
                or None,
                host_aliases=[
                    core.v1.HostAliasArgs(ip=ip, hostnames=list(names))
                    for ip, names in self.host_aliases.items()
                ]
                if self.host_aliases
                else None,
                image_pull_secrets=[core.v1.LocalObjectReferenceArgs(name=pull_secret)]
                if pull_secret
                else None,
            ),
        )


@dataclass(frozen=True)
class Extensions:
    """What an operator adds to pods."""

    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Daemon or sidecar -> variables."""
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Daemon -> annotations of its pods."""

    def of(self, daemon: Daemon, run: Pod) -> Pod:
        """The pod of `daemon` with what belongs to it. What a container has itself wins."""
        sidecars = {each.name for each in daemon.sidecars}

        def extended(container: Container) -> Container:
            more = self.environment.get(container.name if container.name in sidecars else daemon.name, {})
            return replace(container, env={**more, **container.env})

        return replace(
            run,
            containers=[*map(extended, run.containers)],
            init=[*map(extended, run.init)],
            annotations=self.annotations.get(daemon.name, {}),
        )


NO_EXTENSIONS = Extensions()


def _dns_config(resolver: Resolver) -> core.v1.PodDNSConfigArgs | None:
    if not resolver.nameservers and not resolver.searches:
        return None
    options = [core.v1.PodDNSConfigOptionArgs(name=name, value=value) for name, value in resolver.options]
    return core.v1.PodDNSConfigArgs(
        nameservers=list(resolver.nameservers) or None,
        searches=list(resolver.searches) or None,
        options=options or None,
    )


def _affinity(placement: Placement) -> core.v1.AffinityArgs | None:
    nodes = pods = None
    if placement.nodes:
        # By the node's name itself: the label kubernetes.io/hostname is what the machine calls itself. The API takes one
        # name in each term.
        terms = [
            core.v1.NodeSelectorTermArgs(
                match_fields=[
                    core.v1.NodeSelectorRequirementArgs(key="metadata.name", operator="In", values=[name])
                ]
            )
            for name in placement.nodes
        ]
        nodes = core.v1.NodeAffinityArgs(
            required_during_scheduling_ignored_during_execution=core.v1.NodeSelectorArgs(
                node_selector_terms=terms
            )
        )
    if placement.together:
        # One announced address reaches only the pods of its own node (externalTrafficPolicy Local).
        pods = core.v1.PodAffinityArgs(
            required_during_scheduling_ignored_during_execution=[
                core.v1.PodAffinityTermArgs(
                    label_selector=meta.v1.LabelSelectorArgs(match_labels=EDGE_LABEL),
                    topology_key="kubernetes.io/hostname",
                )
            ]
        )
    if nodes is None and pods is None:
        return None
    return core.v1.AffinityArgs(node_affinity=nodes, pod_affinity=pods)
