"""Whether the stack file says of the cluster's network what the cluster says."""

from __future__ import annotations

from model.findings import Rule

POD_CIDR = Rule(
    "pod-cidr",
    path="kolab:network.podCidr",
    problem="is {given}, but pods of this cluster are in {found}",
    fix="write the network of all pods, which holds {around}",
    why="What is in it is closed to daemons that fetch from the web, and believed about the address of a client.",
)
POD_CIDR_APART = POD_CIDR.but(
    problem="is {given}, but pods of this cluster are in {found}, which no private network for pods alone holds together",
    fix="have the network plugin give the pods of kubernetes.namespace addresses of one private network (Calico: the annotation cni.projectcalico.org/ipv4pools of the namespace), and write that",
)
POD_CIDR_PARTLY = POD_CIDR_APART.but(
    problem="is {given}, but pods of this cluster are in {found} as well, and no private network for pods alone holds both: a pod of ours there would not be told from the world",
    severity="warning",
)
IPV6_FIRST = Rule(
    "ip-family",
    path="kolab:kubernetes",
    problem="leads to a cluster whose Services have IPv6 addresses first ({address}), and daemons of this stack listen on IPv4",
    fix="take a cluster of IPv4, or of both with IPv4 first (--service-cluster-ip-range=10.43.0.0/16,fd00:43::/112)",
    why="A Service has addresses of the kinds that the cluster has, and nobody answers behind one of another kind than its daemon's.",
    source="Kubernetes: IPv4/IPv6 dual-stack",
)
IPV4_ALONE = IPV6_FIRST.but(
    path="{path}",
    problem="has {address}, but Services of this cluster have addresses of IPv4 alone ({found}): the API refuses one that asks for both",
    fix="remove {address}, or give the cluster a second range (--service-cluster-ip-range, --cluster-cidr)",
)
SERVICE_CIDR = Rule(
    "service-cidr",
    path="kolab:network.serviceCidr",
    problem="is {given}, but the Service kubernetes of this cluster has {service}, and it always has the first address",
    fix="write the API server's --service-cluster-ip-range",
    why="The addresses of the API server and of DNS follow from it, and what is in it is closed to daemons otherwise.",
    source="kubernetes: pkg/controlplane/instance.go",
)
SERVICE_CIDR_KNOWN = SERVICE_CIDR.but(
    path="kolab:network.serviceCidr",
    problem="is {given}, but Services of this cluster are in {whole}",
    fix="write {whole}",
)
DNS_UNKNOWN = Rule(
    "dns-unknown",
    path="kolab:network.dns.labels",
    problem="fit no pod in the namespace {namespace}, so that no daemon could ask for a name",
    fix="write namespace and labels of the cluster's DNS pods (kubectl get pods -A --show-labels)",
    why="Daemons may ask the cluster's DNS for names and nobody else.",
)
DNS_PORTS = Rule(
    "dns-ports",
    path="kolab:network.dns.ports",
    problem="are {given}, but {pod} listens on {found}",
    fix="write ports: [{found}]",
    why="Most networks judge a connection by the port of the pod behind the Service.",
)
DNS_ADDRESSES = Rule(
    "dns-addresses",
    path="kolab:network.dns.addresses",
    problem="lack {missing}, the address of the DNS Service, which NodeLocal DNSCache answers on each node",
    fix="write addresses: [{addresses}]",
    why="NodeLocal DNSCache takes over the address of the Service, so that no connection reaches a pod of DNS.",
    source="kubernetes: cluster/addons/dns/nodelocaldns",
)
API_UNKNOWN = Rule(
    "api-unknown",
    path="kolab:kubernetes.api.networks",
    problem="is empty, and the cluster does not say where its API servers are: the log collector may learn no pod's name",
    fix="write the addresses of the API servers",
    why="Most networks judge a connection by the address behind the Service.",
    severity="warning",
)
API_ELSEWHERE = Rule(
    "api-elsewhere",
    path="kolab:kubernetes.api",
    problem="leaves out {address} port {port}, where an API server of this cluster answers",
    fix="add it to networks and ports, or remove kubernetes.api so that the cluster is asked",
    why="The log collector asks the API server which pod a line belongs to, and reaches nothing else there.",
)
CNI_ENFORCES_NOTHING = Rule(
    "cni-enforces-nothing",
    path="kolab:network",
    problem="counts on NetworkPolicies, but the only network plugin of this cluster is flannel, which enforces none: every pod may reach every other",
    fix="add a plugin that does beside it (Calico for policies alone, kube-router with --run-firewall)",
    why="What is not written in the topology is closed by NetworkPolicies alone.",
    severity="warning",
)
CNI_CILIUM = Rule(
    "cni-cilium",
    path="kolab:network.cni",
    problem="is standard, but this cluster has Cilium, to which no network of a NetworkPolicy is a node: the API server, NodeLocal DNSCache and Ingress controllers on a node's own network would be out of reach",
    fix="write cilium",
    why="Each network plugin reads policies in a way of its own where nodes are meant.",
    source="Cilium: policy-cidr-match-mode",
)
CNI_OTHER = CNI_CILIUM.but(
    problem="is cilium, but this cluster has no CiliumNetworkPolicies",
    fix="write standard",
    source="",
)
CNI_PEER_ON_NODE = CNI_CILIUM.but(
    path="{path}",
    problem="leads to {address}, an address of node {node}, but no network of a policy is a node to Cilium",
    fix="let the server have an address that is no node's, or set Cilium's policyCIDRMatchMode: nodes",
)
