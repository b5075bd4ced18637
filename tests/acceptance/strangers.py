"""Pods that do not belong to the stack: they ask what a daemon of theirs could ask, and are gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.configs import egress
from tests.acceptance.stack import NAMESPACE, Stack, eventually
from tests.lab import workloads
from tests.lab.own_images import ECHO

ELSEWHERE = "acceptance-elsewhere"
"""A namespace that has nothing to do with the stack."""
_ROLE = "acceptance.test/role"


@dataclass(frozen=True)
class Stranger:
    """A pod to be made. The lab's echo runs in it, on a node that the world can be reached from."""

    name: str
    namespace: str = NAMESPACE
    labels: Mapping[str, str] = field(default_factory=dict)

    def manifest(self, node: str) -> dict[str, Any]:
        """A Job, so that nobody takes its pod for a daemon's; it ends by itself if nobody ends it."""
        container = {"name": "echo", "image": ECHO, "args": ["serve", "8080"]}
        pod = {
            "containers": [container],
            "restartPolicy": "Never",
            "nodeSelector": {"kubernetes.io/hostname": node},
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
        }
        labels = {**self.labels, _ROLE: self.name}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": self.job, "namespace": self.namespace, "labels": {_ROLE: self.name}},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": 600,
                "ttlSecondsAfterFinished": 1,
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }

    @property
    def job(self) -> str:
        """Name of its Job."""
        return f"acceptance-{self.name}"


@contextmanager
def strangers(stack: Stack, wanted: Sequence[Stranger]) -> Iterator[dict[str, dict[str, Any]]]:
    """Their pods by the strangers' names, running, with every policy in force on them."""
    # Before anything is made: not every cluster says when its policies are in force.
    stack.lab.wait_policies()
    node = next(iter(egress(stack.settings)))
    foreign = [stranger for stranger in wanted if stranger.namespace == ELSEWHERE]
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ELSEWHERE}}
    manifests = [*([home] if foreign else []), *(stranger.manifest(node) for stranger in wanted)]
    try:
        stack.lab.kubectl("apply", "-f", "-", text=workloads.text(*manifests))
        pods: dict[str, dict[str, Any]] = eventually(lambda: _running(stack, wanted), "no pod of a test runs")
        stack.lab.wait_policies()
        yield pods
    finally:
        for stranger in wanted:
            where = ("-n", stranger.namespace, "delete", "job", stranger.job)
            stack.lab.kubectl(*where, "--ignore-not-found", "--wait=false")
        if foreign:
            stack.lab.kubectl("delete", "namespace", ELSEWHERE, "--ignore-not-found", "--wait=true")


def _running(stack: Stack, wanted: Sequence[Stranger]) -> dict[str, dict[str, Any]]:
    pods = [
        pod
        for pod in stack.lab.get("pods", "-A", "-l", _ROLE)["items"]
        if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]
    found = {pod["metadata"]["labels"][_ROLE]: pod for pod in pods}
    return found if found.keys() >= {stranger.name for stranger in wanted} else {}
