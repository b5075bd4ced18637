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
NODE_UNKNOWN = Rule(
    "node-unknown",
    path="{path}",
    problem="names node {node}, which this cluster does not have",
    fix="use one of {nodes}",
    why="A pod that may run only on a node which does not exist never starts.",
)
NODES_TOO_SMALL = Rule(
    "nodes-too-small",
    path="kolab:size",
    problem="and kolab:replicas ask for {asked}, and the nodes of this cluster offer {offered}: some pods would never start",
    fix="add nodes or memory, or choose a smaller kolab:size, or lower kolab:resources",
    why="A pod that no node has room for waits for ever, and nobody chose which.",
)
POD_TOO_LARGE = Rule(
    "pod-too-large",
    path="kolab:resources.{name}",
    problem="lets each pod of {name} ask for {asked}, and no node of this cluster offers that: it would never start",
    fix="give it a larger node, or choose a smaller kolab:size, or lower kolab:resources.{name}",
    why="A pod runs on one node.",
)
NODES_BUSY = Rule(
    "nodes-busy",
    path="kolab:size",
    problem="and kolab:replicas ask for {asked}, and other workloads leave {free} of what the nodes of this cluster offer: some pods would wait",
    fix="add nodes, move other workloads away or lower what they request, or choose a smaller kolab:size",
    why="The scheduler counts what pods request, and not what they use.",
    severity="warning",
)
NODE_BUSY = NODES_BUSY.but(
    path="{path}",
    problem="names node {node}, on which other workloads leave {free}, and {names} request {asked} and may run nowhere else: they would wait",
    fix="name a node with more room, move other workloads away or lower what they request, or lower kolab:resources",
)
WEBHOOK_SILENT = Rule(
    "webhook-silent",
    path="kolab:kubernetes",
    problem="leads to a cluster that shows {kinds} to the webhook {name} first, and no pod answers behind its Service {service}: all of them would be refused",
    fix="bring {service} back, or, if it was left behind, kubectl delete {configuration}",
    why="An object is not stored before every webhook with failurePolicy Fail has answered.",
)
WEBHOOK_SILENT_PERHAPS = WEBHOOK_SILENT.but(
    problem="leads to a cluster that shows some {kinds} to the webhook {name} first (matchConditions), and no pod answers behind its Service {service}: ours would be refused if they are among them",
    severity="warning",
)
INGRESS_CLASS_UNKNOWN = Rule(
    "ingress-class-unknown",
    path="kolab:network.ingress.className",
    problem="is {chosen}, which this cluster does not have",
    fix="use one of {classes}, or remove network.ingress",
    why="An Ingress of an unknown class is served by nobody.",
)
INGRESS_CONTROLLER = Rule(
    "ingress-controller",
    path="kolab:network.ingress.controller",
    problem="is {given}, but the class {chosen} of this cluster is served by {kind}",
    fix="write {kind}",
    why="Each controller is told in words of its own how large mail is and how long a phone waits.",
)
INGRESS_CONTROLLER_UNKNOWN = INGRESS_CONTROLLER.but(
    problem="is {given}, and the class {chosen} of this cluster is served by {serving}, of which this stack does not know what it is: another kind would cut uploads and waiting phones off",
    fix="acknowledge it if that is a {given} under a name of its own, or use a class of {kinds}, or remove network.ingress so that the proxy has an address of its own",
    severity="warning",
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
    problem="leaves {volumes} to the default storage class, and this cluster has none",
    fix="mark one as default, or name a storageClass for each of these",
    why="A volume without a class is made by the cluster's default class.",
    severity="warning",
)
ISSUER_UNKNOWN = Rule(
    "issuer-unknown",
    path="kolab:tls.name",
    problem="names the {kind} {name}, which this cluster does not have",
    fix="use one of {issuers}, or make it (docs/how-to/choose-an-issuer.md)",
    why="No certificate would come, and no daemon that needs one would start.",
)
ISSUER_NOT_READY = Rule(
    "issuer-not-ready",
    path="kolab:tls.name",
    problem="names the {kind} {name}, which says of itself that it is not ready",
    fix="kubectl describe {kind} {name}",
    why="No certificate comes from it until it is.",
    severity="warning",
)
ISSUER_HTTP = Rule(
    "issuer-http",
    path="kolab:tls.name",
    problem="names the {kind} {name}, which proves {names} by HTTP-01, and nobody answers on their port 80",
    fix="write tls.challenge: http, or give it a DNS-01 solver for these names (docs/how-to/choose-an-issuer.md)",
    why="Policies are closed to the pods with which cert-manager answers, and the proxy does not start before it has a certificate.",
    source="cert-manager: acmeorders",
)
ISSUER_HTTP_INGRESS = Rule(
    "issuer-http-ingress",
    path="kolab:tls.challenge",
    problem="is http, but another server has port 80 of the websites (network.{key})",
    fix="give the issuer DNS-01 solvers and write challenge: dns, or remove network.{key}",
    why="The authority fetches a file from port 80 of each name of a certificate, and these would be answered by two.",
)
ISSUER_HTTP_ELSEWHERE = Rule(
    "issuer-http-elsewhere",
    path="kolab:tls.challenge",
    problem="is http, but {names} have other addresses than the proxy, and the {kind} {name} proves them by HTTP-01",
    fix="give it a DNS-01 solver for these names (selector.dnsNames), or give them the addresses of the proxy (network.addresses)",
    why="The authority fetches a file from port 80 of the name, and only the proxy answers there.",
    source="RFC 8555 section 8.3; cert-manager: acmeorders",
)
ISSUER_SOLVERS = Rule(
    "issuer-solvers",
    path="kolab:tls.name",
    problem="names the {kind} {name}, which has no solver for {names}",
    fix="add one, or widen the selector of one that is there",
    why="cert-manager asks the authority for all names of a certificate or for none.",
    source="cert-manager: acmeorders",
)
HOST_PORTS = Rule(
    "host-ports",
    path="kolab:network.loadBalancer",
    problem="is hostPort, but {holder} holds port {ports} of {nodes}",
    fix="remove it from there, or let it serve the websites (network.ingress)",
    why="Two pods cannot have one port of a node: the later one waits forever.",
)
HOST_PORTS_K3S = HOST_PORTS.but(
    problem="is hostPort, but {holder} of k3s' ServiceLB holds port {ports} of {nodes}",
    fix="start k3s with --disable servicelb --disable traefik, or let Traefik serve the websites (network.ingress)",
)
HOST_PORTS_SOMEWHERE = HOST_PORTS.but(
    problem="is hostPort, and {holder} holds port {ports} of {nodes}, where public pods may come to run as well",
    fix="name a node without it in network.edgeNode",
    severity="warning",
)
NODE_TAINTED = Rule(
    "node-tainted",
    path="{path}",
    problem="names node {node}, whose taint {key} ({effect}) keeps our pods away",
    fix="add {entry} to kubernetes.tolerations",
    why="A pod that may run only on a node which does not take it never starts.",
)
TOLERATION_VALUE = Rule(
    "toleration-value",
    path="kolab:kubernetes.tolerations",
    problem="has the key {key} with the operator Exists and a value",
    fix="remove the value, or write operator: Equal",
    why="The API refuses it.",
    source="Kubernetes: core/v1 Toleration",
)
KUBERNETES_VERSION = Rule(
    "kubernetes-version",
    path="kolab:kubernetes",
    problem="leads to a cluster of Kubernetes {found}; this release of the stack was tried with {tried}",
    fix="bring the cluster to one of these, or take a release of the stack that knows it (docs/reference/versions.md)",
    why="Kinds and fields come and go with each release of Kubernetes.",
    severity="warning",
)
