"""PriorityClasses: data win over convenience where a node is short (model/priorities.py)."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import meta, scheduling

from model import priorities
from model.settings import Settings


class Priorities(pulumi.ComponentResource):
    """The classes that the stack makes. `of_daemons` are the class names by daemon, the operator's own included."""

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kolab:index:Priorities", name, {}, opts)
        own = priorities.own(settings)
        self.of_daemons: dict[str, pulumi.Input[str]] = {}
        for level, members in priorities.MEMBERS.items():
            chosen: pulumi.Input[str] | None = priorities.given(settings, level)
            if level in own:
                # An output, since the API refuses pods whose class is not there yet.
                chosen = self._make(f"{name}-{level}", level, own[level])
            if chosen is not None:
                self.of_daemons |= {daemon.name: chosen for daemon in members}
        self.register_outputs({})

    def _make(self, logical: str, level: priorities.Level, name: str) -> pulumi.Output[str]:
        labels = {"app.kubernetes.io/part-of": "kolab", "app.kubernetes.io/managed-by": "pulumi"}
        made = scheduling.v1.PriorityClass(
            logical,
            metadata=meta.v1.ObjectMetaArgs(name=name, labels=labels),
            value=priorities.VALUES[level],
            # Never the cluster's default: pods of others keep the priority that they have.
            global_default=False,
            description=priorities.MEANINGS[level],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return made.metadata.name
