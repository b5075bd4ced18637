"""The namespaces, each with the Pod Security level that its pods need and no more."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import core, meta

from components.guard import Guard

_POD_SECURITY_VERSION = "v1.34"


class Namespaces(pulumi.ComponentResource):
    """The namespace of the stack, and one for the log collector, which reads the node's files."""

    def __init__(
        self,
        name: str,
        guard: Guard,
        *,
        namespace: str,
        level: str,
        logs: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kolab:index:Namespaces", name, {}, opts)
        self.main = self._make(
            f"{name}-main", namespace, level, "baseline", guard.options(self, f"{name}-main")
        )
        self.logs = (
            # Pod Security calls hostPath privileged, whatever the mount allows.
            self._make(
                f"{name}-logs",
                f"{namespace}-logs",
                "privileged",
                "privileged",
                pulumi.ResourceOptions(parent=self),
            )
            if logs
            else None
        )
        self.register_outputs({})

    @staticmethod
    def _make(
        logical: str, name: str, level: str, told: str, opts: pulumi.ResourceOptions
    ) -> pulumi.Output[str]:
        # Ports of the node need `privileged`; whatever else goes beyond `told` is still seen and written down.
        labels = {"app.kubernetes.io/part-of": "kolab", "pod-security.kubernetes.io/enforce": level}
        labels |= {f"pod-security.kubernetes.io/{mode}": told for mode in ("warn", "audit")}
        labels |= {
            f"pod-security.kubernetes.io/{mode}-version": _POD_SECURITY_VERSION
            for mode in ("enforce", "warn", "audit")
        }
        made = core.v1.Namespace(
            logical, metadata=meta.v1.ObjectMetaArgs(name=name, labels=labels), opts=opts
        )
        return made.metadata.name
