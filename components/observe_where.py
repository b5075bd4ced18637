"""Where in a cluster is looked."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.settings import ClusterDns, Metallb, Settings


@dataclass(frozen=True, kw_only=True)
class Where:
    """A context of the kubeconfig, and the namespaces of what a stack has to do with. The defaults are the stack file's."""

    context: str | None
    namespace: str = "kolab"
    metallb: str = Metallb().namespace
    dns: ClusterDns = field(default_factory=ClusterDns)
    controllers: str | None = None
    """Where whoever serves the websites in the proxy's place has its pods."""

    @classmethod
    def of(cls, settings: Settings) -> Where:
        """For the cluster of a stack."""
        front = settings.network.web_server
        return cls(
            context=settings.kubernetes.context,
            namespace=settings.kubernetes.namespace,
            metallb=settings.network.metallb.namespace,
            dns=settings.network.dns,
            controllers=None if front is None else front[1].pods,
        )
