"""How network plugins read one set of policies: who may open a connection, with the way that it really takes. Pure.

All of them judge what kube-proxy, or the plugin in its place, has chosen behind a Service. They differ in what a network
(ipBlock) holds:

- kube-router, Calico, Antrea and OVN-Kubernetes match addresses, whoever has them.
- Cilium knows pods and nodes by identity: a network holds only what is neither. Nodes are entities, which the rules of a
  CiliumNetworkPolicy may name; the API server on a node is `kube-apiserver` as well (docs: Layer 3 policies).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.lab.policy.isolation import allowed, resolve, selects
from tests.support.deploy import Deployment

Object = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """One end of a connection. `entities` are Cilium's words for a node."""

    address: str
    kind: Literal["pod", "node", "world"]
    entities: tuple[str, ...] = ()


OWN_NODE = Place("10.7.0.1", "node", ("host",))
OTHER_NODE = Place("10.7.0.2", "node", ("remote-node",))
NODE_LOCAL_DNS = Place("169.254.20.10", "node", ("host",))
API_ON_NODE = Place("10.7.0.3", "node", ("remote-node", "kube-apiserver"))
API_ON_OWN_NODE = Place("10.7.0.1", "node", ("host", "kube-apiserver"))
CLOUD_API = Place("203.0.113.200", "world", ("kube-apiserver",))
DNS_POD = Place("10.42.200.53", "pod")
NEIGHBOUR = Place("10.42.200.7", "pod")
CONTROLLER = Place("10.42.7.8", "pod")
STRANGER = Place("198.51.100.99", "world")


class Reading:
    """The policies of a program as one dialect reads them."""

    def __init__(self, program: Deployment, dialect: str, dns_labels: Mapping[str, str]) -> None:
        self._cilium = dialect == "cilium"
        self.pods = {
            workload.daemon: Place(f"10.42.1.{number}", "pod")
            for number, workload in enumerate(program.workloads, 1)
        }
        self._objects = [
            _pod(self.pods[workload.daemon], workload.namespace, workload.labels)
            for workload in program.workloads
        ]
        others = [
            _pod(DNS_POD, "kube-system", dns_labels),
            _pod(NEIGHBOUR, "neighbour", {"app.kubernetes.io/name": "imap"}),
            _pod(CONTROLLER, "ingress-nginx", {}),
        ]
        every = [*self._objects, *others]
        homes = [_namespace(name) for name in sorted({pod["metadata"]["namespace"] for pod in every})]
        policies = program.of_kind("NetworkPolicy")
        self._by_address = resolve(policies, every, homes)
        self._by_identity = resolve(list(_without_networks(policies)), every, homes)
        self._by_entity = resolve(list(_without_peers(policies)), every, homes)
        self._entities = program.of_kind("CiliumNetworkPolicy")

    def may(self, client: Place, server: Place, protocol: str, port: int) -> bool:
        """Whether a connection may be opened to the place and the port that are really reached."""
        kinds = {client.kind, server.kind}
        if not self._cilium or kinds == {"pod", "world"}:
            known = self._by_address
        else:
            known = self._by_identity if kinds == {"pod"} else self._by_entity
        if allowed(known, client.address, server.address, protocol, port):
            return True
        to, wanted = ("egress", "toEntities"), (protocol, port)
        return self._cilium and (
            self._named(client, server, to, wanted)
            or self._named(server, client, ("ingress", "fromEntities"), wanted)
        )

    def _named(self, pod: Place, peer: Place, way: tuple[str, str], wanted: tuple[str, int]) -> bool:
        """Whether a rule for `pod` names an entity that `peer` is."""
        for policy in self._entities:
            spec, home = policy["spec"], policy["metadata"]["namespace"]
            selected = any(
                each["status"]["podIP"] == pod.address
                and each["metadata"]["namespace"] == home
                and selects(spec["endpointSelector"], each["metadata"]["labels"])
                for each in self._objects
            )
            for rule in spec.get(way[0], ()) if selected else ():
                ports = {
                    (each["protocol"], int(each["port"])) for to in rule["toPorts"] for each in to["ports"]
                }
                if {*rule[way[1]]} & {*peer.entities} and wanted in ports:
                    return True
        return False


def _without_networks(policies: Iterable[Object]) -> Iterable[Object]:
    """Policies between identities: no network holds a pod."""
    for policy in policies:
        yield _filtered(policy, lambda peer: "ipBlock" not in peer)


def _without_peers(policies: Iterable[Object]) -> Iterable[Object]:
    """Policies towards entities: neither a network nor a selector means a node."""
    for policy in policies:
        yield _filtered(policy, lambda _: False)


def _filtered(policy: Object, keep: Any) -> Object:
    """A rule whose last peer goes is no rule any more; one that never had peers is for everybody."""
    made = copy.deepcopy(policy)
    for direction, key in (("ingress", "from"), ("egress", "to")):
        rules = []
        for rule in made["spec"].get(direction) or ():
            peers = rule.get(key)
            if peers:
                rule[key] = [peer for peer in peers if keep(peer)]
            if not peers or rule[key]:
                rules.append(rule)
        made["spec"][direction] = rules
    return made


def _pod(place: Place, namespace: str, labels: Mapping[str, str]) -> Object:
    return {
        "metadata": {"name": place.address, "namespace": namespace, "labels": dict(labels)},
        "spec": {"containers": []},
        "status": {"podIP": place.address, "phase": "Running"},
    }


def _namespace(name: str) -> Object:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
