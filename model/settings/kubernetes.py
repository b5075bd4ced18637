"""The cluster of a stack."""

from __future__ import annotations

from model.settings.base import Section
from model.texts import ClusterDomain, Context, Folder, Identifier, OwnNamespace


class Kubernetes(Section):
    """Which cluster the stack lives in."""

    context: Context | None = None
    """Context of the kubeconfig that reaches the cluster. Not used with `render`."""
    cluster_identifier: Identifier | None = None
    """Your name for the cluster. Only a change of this name makes Pulumi replace everything, not an edited kubeconfig."""
    namespace: OwnNamespace = "kolab"
    """Namespace of all pods but the log collector, which lives in `<namespace>-logs`."""
    render: Folder | None = None
    """Write manifests below this folder of the project instead of talking to a cluster. For `local` and reviews, never for a real stack."""
    cluster_domain: ClusterDomain = "cluster.local"
    """DNS suffix of Services in this cluster."""
