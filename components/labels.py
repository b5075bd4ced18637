"""Labels of objects, and by which of them pods are chosen."""

from __future__ import annotations

INSTANCE = "kolab"


def labels_of(daemon: str) -> dict[str, str]:
    """Labels of a daemon's objects (Kubernetes: recommended labels)."""
    return selector_of(daemon) | {
        "app.kubernetes.io/part-of": "kolab",
        "app.kubernetes.io/managed-by": "pulumi",
    }


def selector_of(daemon: str) -> dict[str, str]:
    """Labels that select a daemon's pods; they can never change once a workload exists."""
    return {"app.kubernetes.io/name": daemon, "app.kubernetes.io/instance": INSTANCE}
