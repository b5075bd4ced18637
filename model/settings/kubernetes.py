"""The cluster of a stack."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from model.settings.base import Section
from model.texts import ClusterDomain, Context, Folder, Identifier, OwnNamespace
from model.types import Networks, PortNumber


class KubernetesApi(Section):
    """What answers behind the Service `kubernetes`. Only the log collector may talk to it."""

    networks: Networks = ()
    """Addresses of the API servers. Empty: what the cluster says when it is looked at. Needed where it does not say, or where they move, as with some clouds."""
    ports: Annotated[tuple[PortNumber, ...], Field(min_length=1)] = (443, 6443)
    """Ports on which they listen. MicroK8s: 16443."""


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
    api: KubernetesApi = KubernetesApi()
    """API servers."""
