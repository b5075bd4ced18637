"""Which address carries what."""

from __future__ import annotations

from model.findings import Rule

ADDRESS_MISSING = Rule(
    "address-missing",
    path="kolab:network.addresses.all",
    problem="is missing in single-node mode",
    fix="give the one address that carries every port, e.g. addresses: {{all: 203.0.113.10}}",
    why="Every public daemon needs an address that the world reaches it by.",
)
ADDRESS_MODE = Rule(
    "address-mode",
    path="kolab:network.addresses.{name}",
    problem="has no meaning in single-node mode",
    fix="remove it and use all:, or set kolab:mode to cluster",
    why="single-node has one address for everything; cluster has one for each public daemon.",
)
ADDRESS_MODE_CLUSTER = ADDRESS_MODE.but(
    path="kolab:network.addresses.all",
    problem="has no meaning in cluster mode",
    fix="give proxy, smtp, sieve and turn an address each: with policy Local one address cannot reach pods on several nodes",
)
ADDRESS_MISSING_CLUSTER = ADDRESS_MISSING.but(
    path="kolab:network.addresses.{name}",
    problem="is missing in cluster mode",
    fix="choose an address for it that no machine and no other pool of MetalLB has, e.g. {name}: 203.0.113.10{instead}",
)
ADDRESS_UNUSED = Rule(
    "address-unused",
    path="kolab:network.addresses.{name}",
    problem="is given, but nothing listens there with these features",
    fix="remove it, or switch the feature on",
    why="An address without a listener is one that somebody will look for in vain.",
    severity="warning",
)
ADDRESS_SHARED = Rule(
    "address-shared",
    path="kolab:network.addresses.{name}",
    problem="is {address}, which {owner} has already",
    fix="give each daemon its own address: on a shared one MetalLB would leave the second without any, or lose client addresses",
    why="With policy Local, MetalLB shares an address only between Services with the same pods (metallb internal/allocator).",
)
ADDRESS_IN_CLUSTER = Rule(
    "address-in-cluster",
    path="{path}",
    problem="is {address}, inside the pods' or Services' range",
    fix="use an address outside of network.podCidr and network.serviceCidr",
    why="Pods and Services own their ranges: a public address inside one of them is never reached.",
)
ADDRESS_KIND = Rule(
    "address-kind",
    path="{path}",
    problem="is {address}, which no client can reach",
    fix="use a unicast address",
    why="Only a unicast address can be reached from elsewhere.",
)
ADDRESS_DOCUMENTATION = Rule(
    "address-documentation",
    path="{path}",
    problem="is {address}, a documentation address",
    fix="replace it by your own address; only stacks marked kolab:example may use it",
    why="Documentation addresses belong to nobody, so nothing may be published with them.",
    source="RFC 5737",
)
PUBLIC_UNCLAIMED = Rule(
    "public-unclaimed",
    path="kolab:network.public.{inside}",
    problem="maps an address that is not under network.addresses",
    fix="add it under network.addresses, or remove the line",
    why="A line that maps nothing is a typing error in the address that it was meant for.",
)
ADDRESS_PRIVATE = Rule(
    "address-private",
    path="kolab:network.addresses.{key}",
    problem="is {address}, which the Internet does not route, and network.public does not map it",
    fix="add network.public: {{{address}: <public address>}}, or acknowledge it for a closed network",
    why="The public side of each address must be an address that the Internet routes.",
    severity="warning",
)
IPV6_NOT_LISTENING = Rule(
    "ipv6-not-listening",
    path="kolab:network.addresses.{name}",
    problem="is an IPv6 address, but the daemons behind it listen on IPv4 only",
    fix="use an IPv4 address; port 25 (smtp, or all of single-node) may have an IPv6 address beside its IPv4 one",
    why="Only Postfix listens on IPv6 (upstream: mail and sieve listeners are IPv4 literals).",
)
ADDRESS_FAMILY = Rule(
    "address-family",
    path="kolab:network.addresses.{name}",
    problem="must hold one IPv4 address and at most one IPv6 address",
    fix="write {name}: [203.0.113.11, 2001:db8::11]",
    why="Only Postfix listens on IPv6 (upstream: mail and sieve listeners are IPv4 literals).",
)
NETWORK_PUBLIC = Rule(
    "network-public",
    path="kolab:network.{key}",
    problem="is {net}, which is no private range: strangers would be taken for pods",
    fix="write the cluster's own range, such as 10.42.0.0/16, 100.64.0.0/12 or fd00:42::/56",
    why="What is in the pods' and Services' ranges is believed by daemons, and reached by nobody outside.",
    source="RFC 1918, RFC 6598, RFC 4193",
)
NETWORK_SIZE = Rule(
    "network-size",
    path="kolab:network.{key}",
    problem="is {net}, a size that no cluster has",
    fix="write the cluster's own range, such as 10.42.0.0/16",
    why="A range that is too wide takes strangers for pods; one that is too narrow leaves pods out.",
)
NETWORK_OVERLAP = Rule(
    "network-overlap",
    path="kolab:network.serviceCidr",
    problem="is {net}, which overlaps network.podCidr",
    fix="write the two ranges as the cluster has them; they are never the same",
    why="Policies tell pods, Services and everybody else apart by their ranges.",
)
NETWORK_HOLDS_CLUSTER = NETWORK_OVERLAP.but(
    path="{path}",
    problem="is {net}, which holds all pods or Services of the cluster",
    fix="write the addresses of the service alone",
)
NETWORK_OF_SERVICES = NETWORK_OVERLAP.but(
    path="{path}",
    problem="is {net}, inside network.serviceCidr: policies see the addresses of pods, never of Services",
    fix="write the addresses of the pods behind the Service",
)
NETWORK_KIND = Rule(
    "network-kind",
    path="{path}",
    problem="is {net}, where no other host answers",
    fix="write the addresses of the service, such as 203.0.113.8/32",
    why="A range that is let through leads to hosts that exist.",
)
NETWORK_METADATA = NETWORK_KIND.but(
    path="{path}",
    problem="is {net}, where a cloud hands out the keys of its nodes",
    fix="write the addresses of the service that is meant",
)
NETWORK_BROAD = Rule(
    "network-broad",
    path="{path}",
    problem="is {net}, which is far more than one service has",
    fix="write the addresses of the service, at least /{least}, such as 203.0.113.8/32",
    why="Pods may go to these addresses, or a controller there chooses the address that rate limits and logs see.",
)
HOSTPORT_MODE = Rule(
    "hostport-mode",
    path="kolab:network.loadBalancer",
    problem="is hostPort in cluster mode, where addresses must follow pods from node to node",
    fix="use metallb, or kolab:mode single-node",
    why="A port on a node stays on that node, while pods of a cluster move.",
)
