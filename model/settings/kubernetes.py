"""The cluster of a stack."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from model.settings.base import Section
from model.texts import (
    ClusterDomain,
    Context,
    Folder,
    Identifier,
    LabelKey,
    LabelValue,
    OwnNamespace,
    PriorityClassName,
)
from model.types import Networks, PortNumber


class KubernetesApi(Section):
    """What answers behind the Service `kubernetes`. Only the log collector may talk to it."""

    networks: Networks = ()
    """Addresses of the API servers. Empty: what the cluster says when it is looked at. Needed where it does not say, or where they move, as with some clouds."""
    ports: Annotated[tuple[PortNumber, ...], Field(min_length=1)] = (443, 6443)
    """Ports on which they listen. MicroK8s: 16443."""


class Toleration(Section):
    """A taint of nodes that pods of this stack put up with, as Kubernetes writes it."""

    key: LabelKey
    """Key of the taint, such as dedicated."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Whether the taint's value counts."""
    value: LabelValue | None = None
    """Value of the taint. Not with Exists."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; all of them where none is given."""


class PriorityClasses(Section):
    """What wins where a node is short of memory or processors: data over convenience, the rest between them."""

    own: bool = True
    """Whether the stack makes the two classes data-<namespace> and convenience-<namespace>, which the whole cluster sees. Pods without a class make room for those of the first."""
    data: PriorityClassName | None = None
    """Existing class for MariaDB, Redis, the files, Cyrus and Postfix, in place of the stack's own."""
    convenience: PriorityClassName | None = None
    """Existing class for Collabora, Meet, TURN, monitoring and drills, in place of the stack's own."""


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
    priority_classes: PriorityClasses = PriorityClasses()
    """Who wins where a node is short."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints that all pods of this stack put up with, for nodes that are kept for mail."""
