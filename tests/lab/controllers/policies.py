"""Keeps each node's packet filter in step with the cluster's NetworkPolicies.

Not a real network plugin: a new pod is reachable for the moment between its start and the filter's change, and what
is established stays so when a policy changes.
"""

from __future__ import annotations

import logging
from pathlib import Path

from tests.lab import network
from tests.lab.controllers.api import Api
from tests.lab.controllers.store import Store
from tests.lab.errors import LabError
from tests.lab.policy.filter import ruleset
from tests.lab.policy.isolation import resolve
from tests.lab.processes import in_namespace, run


class Policies:
    """NetworkPolicies, pods and namespaces -> nft."""

    def __init__(self, api: Api, state: Path) -> None:
        self._pods = Store(api, "/api/v1/pods")
        self._namespaces = Store(api, "/api/v1/namespaces")
        self._policies = Store(api, "/apis/networking.k8s.io/v1/networkpolicies")
        self._nodes = Store(api, "/api/v1/nodes")
        self.stores = [self._pods, self._namespaces, self._policies, self._nodes]
        self._directory = state / "policies"

    def reconcile(self) -> None:
        """Bring every node's filter to where it should be."""
        pods = self._pods.objects
        isolations = resolve(self._policies.objects, pods, self._namespaces.objects)
        homes = {pod["status"].get("podIP"): pod["spec"].get("nodeName") for pod in pods}
        for node in (each["metadata"]["name"] for each in self._nodes.objects):
            own = {address: isolation for address, isolation in isolations.items() if homes[address] == node}
            self._apply(node, ruleset(own))

    def _apply(self, node: str, text: str) -> None:
        """The file is written first: a node that boots begins with it, see Node.boot."""
        path = rules_file(self._directory, node)
        if path.exists() and path.read_text() == text:
            return
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        try:
            load(self._directory, node)
        except LabError:
            path.unlink()
            raise
        logging.info("%s has a new filter", node)


def rules_file(directory: Path, node: str) -> Path:
    """Where a node's filter is kept."""
    return directory / f"{node}.nft"


def load(directory: Path, node: str) -> None:
    """Put a node's filter into force, if it has one."""
    path = rules_file(directory, node)
    if path.exists():
        run(in_namespace(network.namespace(node), ["nft", "-f", path]))
