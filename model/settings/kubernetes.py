"""The cluster of a stack."""

from __future__ import annotations

from model.settings.base import Section
from model.types import KubernetesName


class Kubernetes(Section):
    """Which cluster the stack lives in."""

    context: str | None = None
    """Context of the kubeconfig that reaches the cluster."""
    cluster_identifier: str | None = None
    """Your name for the cluster. Only a change of this name makes Pulumi replace everything, not an edited kubeconfig."""
    namespace: KubernetesName = "kolab"
    """Namespace of all pods but the log collector, which lives in `<namespace>-logs`."""
    render: str | None = None
    """Write manifests below this folder instead of talking to a cluster. For `local` and reviews, never for a real stack."""
    cluster_domain: str = "cluster.local"
    """DNS suffix of Services in this cluster."""
