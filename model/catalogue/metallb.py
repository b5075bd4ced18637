"""Whether MetalLB may have the stack's addresses, and announces them from the right nodes alone."""

from __future__ import annotations

from model.findings import Rule

NODES_EXCLUDED = Rule(
    "nodes-excluded",
    path="kolab:network.loadBalancer",
    problem="is metallb, but every node that may run {names} carries the label node.kubernetes.io/exclude-from-external-load-balancers ({nodes}): their addresses would not be announced",
    fix="kubectl label node {node} node.kubernetes.io/exclude-from-external-load-balancers-",
    why="With the policy Local a node announces the addresses of its own pods, and one with this label announces none.",
    source="MetalLB: speaker/layer2_controller.go",
)
NODES_EXCLUDED_SOME = NODES_EXCLUDED.but(
    problem="is metallb, but nodes that may run {names} carry the label node.kubernetes.io/exclude-from-external-load-balancers ({nodes}): the world would not reach a pod there",
    fix="kubectl label node {node} node.kubernetes.io/exclude-from-external-load-balancers-, or keep our pods off these nodes by a taint",
    severity="warning",
)
METALLB_OLD = Rule(
    "metallb-old",
    path="kolab:network.loadBalancer",
    problem="is metallb, but its version {found} does not know the annotations that ask for an address",
    fix="bring MetalLB to {least} or later",
    why="A Service without the address that DNS names is reached by nobody.",
    source="MetalLB: release notes",
)
STRICT_ARP = Rule(
    "strict-arp",
    path="kolab:network.loadBalancer",
    problem="is metallb, but kube-proxy uses IPVS without strictARP: every node would answer for the public addresses",
    fix="set ipvs.strictARP: true in kube-proxy's ConfigMap and restart its pods (docs/how-to/prepare-a-cluster.md)",
    why="With IPVS each node holds all addresses of Services and answers ARP for them unless it is told not to.",
    source="MetalLB: installation",
)
ADDRESS_OF_A_NODE = Rule(
    "address-of-a-node",
    path="{path}",
    problem="is {address}, which node {node} has itself: MetalLB would announce it from other nodes too, and neighbours would send mail to whichever answered last",
    fix="take an address that no machine has; one node with one address opens its own ports (kolab:mode single-node, network.loadBalancer: hostPort)",
    why="MetalLB answers for the addresses of its pool; the system of a node answers for its own.",
    source="MetalLB: concepts, layer 2",
)
ADDRESS_OF_THE_NODE = ADDRESS_OF_A_NODE.but(
    path="{path}",
    problem="is {address}, which node {node} has itself: MetalLB has nothing to announce there",
    fix="write network.loadBalancer: hostPort, by which the node opens its ports itself, or take an address that no machine has",
    severity="warning",
)
ADDRESS_IN_POOL = Rule(
    "address-in-pool",
    path="{path}",
    problem="is {address}, which MetalLB's pool {pool} holds already ({entry}): the stack makes a pool of its own, and MetalLB refuses one that overlaps",
    fix="take an address that no pool holds, or take {address} out of that pool (kubectl -n {namespace} edit ipaddresspool {pool})",
    why="Nobody else's Service may be given an address whose reputation is ours, so it is in a pool that nobody else uses.",
    source="MetalLB: internal/config",
)
