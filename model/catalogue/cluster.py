"""Whether the cluster has what the stack stands on."""

from __future__ import annotations

from model.findings import Rule

OPERATOR_MISSING = Rule(
    "operator-missing",
    path="{path}",
    problem="needs {name}, which is not installed in this cluster",
    fix="install {name} (docs/how-to/prepare-a-cluster.md), {instead}",
    why="The stack makes resources of kinds that these operators bring.",
)
TWO_LOAD_BALANCERS = Rule(
    "two-load-balancers",
    path="kolab:network.loadBalancer",
    problem="is metallb, but k3s' ServiceLB runs as well and would answer on node addresses with the clients' addresses lost",
    fix="start k3s with --disable servicelb",
    why="Two load balancers answer for the same Services.",
)
NODES_EXCLUDED = Rule(
    "nodes-excluded",
    path="kolab:network.loadBalancer",
    problem="is metallb, but every node carries the label node.kubernetes.io/exclude-from-external-load-balancers: no address would be announced",
    fix="kubectl label node <node> node.kubernetes.io/exclude-from-external-load-balancers-",
    why="MetalLB announces an address only from nodes without this label.",
)
NODE_UNKNOWN = Rule(
    "node-unknown",
    path="{path}",
    problem="names node {node}, which this cluster does not have",
    fix="use one of {nodes}",
    why="A pod that may run only on a node which does not exist never starts.",
)
INGRESS_CLASS_UNKNOWN = Rule(
    "ingress-class-unknown",
    path="kolab:network.ingress.className",
    problem="is {chosen}, which this cluster does not have",
    fix="use one of {classes}, or remove network.ingress",
    why="An Ingress of an unknown class is served by nobody.",
)
STORAGE_CLASS_UNKNOWN = Rule(
    "storage-class-unknown",
    path="kolab:storage.{alias}.storageClass",
    problem="is {chosen}, which this cluster does not have",
    fix="use one of {classes}",
    why="A volume of an unknown class is never made, and its pod never starts.",
)
STORAGE_CLASS_DEFAULT = Rule(
    "storage-class-default",
    path="kolab:storage",
    problem="leaves some volume to the default storage class, and this cluster has none",
    fix="mark one as default, or name a storageClass for every volume",
    why="A volume without a class is made by the cluster's default class.",
    severity="warning",
)
