"""Keeps each node's packet filter in step with the cluster's NetworkPolicies.

Not a real network plugin: a new pod is reachable for the moment between its start and the filter's change, and what
is established stays so when a policy changes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.lab import network
from tests.lab.controllers.api import Api, Object
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
        nodes = [each["metadata"]["name"] for each in self._nodes.objects]
        wanted = filters(nodes, self._policies.objects, self._pods.objects, self._namespaces.objects)
        for node, text in wanted.items():
            self._apply(node, text)

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


def filters(
    nodes: Iterable[str], policies: Sequence[Object], pods: Sequence[Object], namespaces: Sequence[Object]
) -> dict[str, str]:
    """node -> its filter."""
    isolations = resolve(policies, pods, namespaces)
    homes = {pod["status"].get("podIP"): pod["spec"].get("nodeName") for pod in pods}
    return {
        node: ruleset({address: each for address, each in isolations.items() if homes[address] == node})
        for node in nodes
    }


def rules_file(directory: Path, node: str) -> Path:
    """Where a node's filter is kept."""
    return directory / f"{node}.nft"


def in_force(directory: Path, wanted: Mapping[str, str]) -> bool:
    """Whether these are the nodes' filters; one that could not be loaded has no file."""
    files = {rules_file(directory, node): text for node, text in wanted.items()}
    return all(file.exists() and file.read_text() == text for file, text in files.items())


def load(directory: Path, node: str) -> None:
    """Put a node's filter into force, if it has one."""
    path = rules_file(directory, node)
    if path.exists():
        run(in_namespace(network.namespace(node), ["nft", "-f", path]))
