"""The sentences of cluster mode, as the genuine plugin words them."""

from __future__ import annotations

from .api import ApiError, Unreachable
from .wire import Object

EXISTS = (
    "\n\nThe resource already exists in the cluster: import it, give the renamed resource an alias, "
    "or set upsertExistingObjects on the provider."
)
UNREACHABLE_READ = (
    "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove this "
    "resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment "
    'variable set to "true"'
)


def explained(error: Exception, manager: str) -> str:
    if isinstance(error, ApiError) and error.code == 409 and error.reason == "Conflict":
        return (
            "server-side apply field conflict detected\n"
            f'The resource managed by field manager "{manager}" had an apply conflict: {error}'
        )
    return str(error)


def unreachable(error: Unreachable) -> str:
    return f"configured Kubernetes cluster is unreachable: {error}"


def id_of(obj: Object) -> str:
    metadata = obj["metadata"]
    return (
        f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])
    )
