"""Who reaches what by the NetworkPolicies as they are rendered: a table of addresses in, yes or no out. Pure.

`Neighbourhood` is a cluster around the pods of a stack. A Service has two addresses: its own, which a pod dials, and the
pod's behind it, which kube-proxy has chosen. Networks differ in which of the two they judge, so that both are asked for.
"""

from __future__ import annotations

import functools
from typing import Any

from tests.lab.policy.isolation import Isolation, allowed, resolve
from tests.support.deploy import Deployment

DNS_POD, NEIGHBOUR, CONTROLLER = "10.42.200.53", "10.42.200.7", "10.42.7.8"
"""Pods of others: the cluster's DNS, somebody in another namespace, an Ingress controller."""
DNS_SERVICE, API_SERVICE, NEIGHBOURS_SERVICE = "10.43.0.10", "10.43.0.1", "10.43.77.7"

Object = dict[str, Any]


class Neighbourhood:
    """The pods of a program, one of each workload, among pods of others."""

    def __init__(self, program: Deployment, dns_labels: dict[str, str] | None = None) -> None:
        self.homes = {
            workload.daemon: f"10.42.1.{number}" for number, workload in enumerate(program.workloads, 1)
        }
        self._program, self._dns = program, dns_labels or {"k8s-app": "kube-dns"}

    def may(self, daemon: str, address: str, protocol: str, port: int) -> bool:
        """Whether a pod of this daemon may open a connection to an address; its pods of our own have a say, too."""
        return allowed(self._isolations, self.homes[daemon], address, protocol, port)

    @functools.cached_property
    def _isolations(self) -> dict[str, Isolation]:
        pods = [
            _pod(self.homes[workload.daemon], workload.namespace, workload.labels)
            for workload in self._program.workloads
        ]
        pods += [
            _pod(DNS_POD, "kube-system", self._dns),
            _pod(NEIGHBOUR, "neighbour", {"app.kubernetes.io/name": "imap"}),
            _pod(CONTROLLER, "ingress-nginx", {}),
        ]
        namespaces = {pod["metadata"]["namespace"] for pod in pods}
        named = [
            {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
            for name in namespaces
        ]
        return resolve(self._program.of_kind("NetworkPolicy"), pods, named)


def _pod(address: str, namespace: str, labels: dict[str, str]) -> Object:
    return {
        "metadata": {"name": address, "namespace": namespace, "labels": labels},
        "spec": {"containers": []},
        "status": {"podIP": address, "phase": "Running"},
    }
