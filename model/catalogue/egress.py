"""What the world sees when we send."""

from __future__ import annotations

from model.findings import Rule

EGRESS_MISSING = Rule(
    "egress-missing",
    path="kolab:network.egress",
    problem="is missing: SPF, HELO and PTR follow the address that mail leaves from, which is never the load balancer's",
    fix="list the nodes that may run Postfix with their public addresses, egress: {{mode: nodes, nodes: {{<node>: [<address>]}}}}, or use mode gateway or relay",
    why="SPF, HELO and PTR are made from egress, so a stack without one cannot send deliverable mail.",
)
EGRESS_IPV4 = Rule(
    "egress-ipv4",
    path="kolab:network.egress.{place}",
    problem="has no IPv4 address, and most receivers have no other",
    fix="add the IPv4 address that mail from there leaves with",
    why="Most receivers have no IPv6.",
)
EGRESS_PRIVATE = Rule(
    "egress-private",
    path="kolab:network.egress.{place}",
    problem="is {address}, which the Internet does not route: receivers never see it, and SPF, HELO and PTR would name it in vain",
    fix="write the address that the world sees; on that node, `curl -4 https://icanhazip.com` shows it",
    why="Behind NAT mail leaves from another address than the node has.",
    source="RFC 1918",
)
EGRESS_TOO_FEW_NODES = Rule(
    "egress-too-few-nodes",
    path="kolab:replicas.postfix",
    problem="is {replicas}, but only {nodes} node(s) have an egress address",
    fix="list more nodes under network.egress.nodes, or run fewer replicas",
    why="Postfix needs a node for each replica.",
)
EGRESS_EDGE_NODE = Rule(
    "egress-edge-node",
    path="kolab:network.edgeNode",
    problem="is {node}, which has no egress address, but Postfix runs there in single-node mode",
    fix="add {node} to network.egress.nodes",
    why="Single-node mode runs Postfix where the address is.",
)
EGRESS_EDGE_NODE_MISSING = EGRESS_EDGE_NODE.but(
    path="kolab:network.edgeNode",
    problem="is missing although egress lists several nodes: all public pods must share one node",
    fix="name the one node that holds the address",
)
EGRESS_RELAY_SPF = Rule(
    "egress-relay-spf",
    path="kolab:network.egress.spfInclude",
    problem="is missing, so SPF cannot list the relay's addresses",
    fix="ask the relay's operator for the domain to include",
    why="SPF must list the addresses that our mail really comes from.",
    severity="warning",
)
SPF_RELAY_UNKNOWN = Rule(
    "spf-relay-unknown",
    path="kolab:network.egress.spfInclude",
    problem="is missing, so no SPF record is published that could announce network.announcedEgress",
    fix="ask the relay's operator for the domain to include",
    why="SPF must list the addresses that our mail really comes from.",
    source="RFC 7208 section 5.2",
)
SPF_SIZE = Rule(
    "spf-size",
    path="kolab:network.egress",
    problem="gives an SPF record of {size} bytes for {domain}; {most} fit one answer",
    fix="send through fewer addresses, through neighbouring ones, or through a gateway",
    why="Receivers give up on a record that does not fit one answer.",
    source="RFC 7208 section 3.4",
)
SPF_EVALUATION = Rule(
    "spf-evaluation",
    path="kolab:network.egress",
    problem="{problem}",
    fix="list every source address of mail under network.egress, and nobody else's",
    why="Every egress address passes for every mail domain, and a stranger passes for none.",
    source="RFC 7208 section 4.6",
)
HELO_TRIANGLE = Rule(
    "helo-triangle",
    path="kolab:hosts.helo",
    problem="is {helo} with {addresses}, but {address} is called {names}",
    fix="let name and addresses lead to each other",
    why="The EHLO name has every egress address, and each address has that one name. A relay has its own.",
    source="RFC 8601 section 2.7.3",
)
HOST_TWO_PLACES = Rule(
    "host-two-places",
    path="{path}",
    problem="gives {name} two meanings, and clients would try the addresses of both: {meant}",
    fix="choose a name of its own, such as {instead}",
    why="A name with two roles must lead to the same place for both.",
)
EGRESS_ANNOUNCED_PRIVATE = Rule(
    "egress-announced-private",
    path="kolab:network.announcedEgress",
    problem="holds {address}, which the Internet does not route",
    fix="write the public address that mail will leave from",
    why="What is announced to the world must be an address of the world.",
)
