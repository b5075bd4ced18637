"""NetworkPolicies: nothing may talk, then exactly the connections of the topology.

They are generated, never written by hand: a daemon that needs a new connection gets it in model/topology.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import meta, networking

from components.daemon import Site
from components.labels import labels_of, selector_of
from model.topology import PROXY, Connection, Daemon, Outside, Port, PublicPort
from model.topology.outside import SOLVER


@dataclass(frozen=True)
class IngressControllers:
    """The pods of an Ingress controller or a Gateway. Those on their node's own network are of no namespace to a policy, but
    they have its addresses. `websites` are the networks at which the world finds them, `ports` where they listen."""

    namespace: str
    network: str
    websites: Sequence[str]
    ports: Sequence[Port]

    def peers(self) -> list[networking.v1.NetworkPolicyPeerArgs]:
        """Both ways to name them."""
        return [
            networking.v1.NetworkPolicyPeerArgs(namespace_selector=_namespace(self.namespace)),
            networking.v1.NetworkPolicyPeerArgs(ip_block=networking.v1.IPBlockArgs(cidr=self.network)),
        ]


@dataclass(frozen=True, kw_only=True)
class PoliciesArgs:
    """Inputs of Policies. `doors` are public Services that only some networks may reach; `elsewhere` are daemons of
    another namespace, which has this name; `reached_at` are the networks of a server that some of its clients reach as the world does;
    `readers` are pods of others that may read the numbers of a daemon; `solvers` are those of cert-manager in our namespace."""

    daemons: Sequence[Daemon]
    connections: Sequence[Connection]
    public: Sequence[PublicPort]
    doors: Mapping[str, Sequence[str]]
    reached_at: Mapping[Daemon, Sequence[str]]
    readers: Mapping[Daemon, Outside]
    elsewhere: Sequence[Daemon]
    logs_namespace: str
    main_namespace: str
    controllers: IngressControllers | None
    solvers: Outside | None


class Policies(pulumi.ComponentResource):
    """Default deny both ways, and one policy per daemon."""

    def __init__(
        self,
        name: str,
        site: Site,
        logs: pulumi.Input[str] | None,
        args: PoliciesArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kolab:index:Policies", name, {}, opts)
        self._name, self._args = name, args
        self._deny(f"{name}-default", site.namespace)
        if logs is not None:
            self._deny(f"{name}-default-logs", logs)
        for daemon in args.daemons:
            namespace = logs if logs is not None and daemon in args.elsewhere else site.namespace
            self._allow(daemon, namespace)
        if args.solvers is not None:
            self._solvers(args.solvers, site.namespace)
        self.register_outputs({})

    def _deny(self, logical: str, namespace: pulumi.Input[str]) -> None:
        networking.v1.NetworkPolicy(
            logical,
            metadata=meta.v1.ObjectMetaArgs(
                name="default", namespace=namespace, labels=labels_of("policies")
            ),
            spec=networking.v1.NetworkPolicySpecArgs(
                pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _allow(self, daemon: Daemon, namespace: pulumi.Input[str]) -> None:
        networking.v1.NetworkPolicy(
            f"{self._name}-{daemon.name}",
            metadata=meta.v1.ObjectMetaArgs(
                name=daemon.name, namespace=namespace, labels=labels_of(daemon.name)
            ),
            spec=networking.v1.NetworkPolicySpecArgs(
                pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector_of(daemon.name)),
                policy_types=["Ingress", "Egress"],
                ingress=self._ingress(daemon),
                egress=self._egress(daemon),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _solvers(self, solvers: Outside, namespace: pulumi.Input[str]) -> None:
        """They are asked by the proxy, and ask nobody."""
        key, value = SOLVER
        networking.v1.NetworkPolicy(
            f"{self._name}-{solvers.name}",
            metadata=meta.v1.ObjectMetaArgs(
                name=solvers.name, namespace=namespace, labels=labels_of("policies")
            ),
            spec=networking.v1.NetworkPolicySpecArgs(
                pod_selector=meta.v1.LabelSelectorArgs(match_labels={key: value}),
                policy_types=["Ingress", "Egress"],
                ingress=[
                    networking.v1.NetworkPolicyIngressRuleArgs(
                        from_=[
                            networking.v1.NetworkPolicyPeerArgs(
                                pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector_of(PROXY.name))
                            )
                        ],
                        ports=_ports(solvers.ports),
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _ingress(self, daemon: Daemon) -> list[networking.v1.NetworkPolicyIngressRuleArgs]:
        rules = [
            networking.v1.NetworkPolicyIngressRuleArgs(
                from_=[self._peer(connection.client, daemon)],
                ports=_ports(_chosen(daemon, connection.ports, self._args.public)),
            )
            for connection in self._args.connections
            if connection.server == daemon
        ]
        if reader := self._args.readers.get(daemon):
            rules.append(
                networking.v1.NetworkPolicyIngressRuleArgs(from_=_outside(reader), ports=_ports(reader.ports))
            )
        rules += self._from_the_world(daemon)
        if daemon == PROXY and self._args.controllers:
            peers = self._args.controllers.peers()
            rules.append(
                networking.v1.NetworkPolicyIngressRuleArgs(from_=peers, ports=_ports([daemon.port("https")]))
            )
        return rules

    def _from_the_world(self, daemon: Daemon) -> list[networking.v1.NetworkPolicyIngressRuleArgs]:
        public = [port for port in self._args.public if port.daemon == daemon]
        everybody = [port.target for port in public if port.service not in self._args.doors]
        rules = [networking.v1.NetworkPolicyIngressRuleArgs(ports=_ports(everybody))] if everybody else []
        for service, networks in self._args.doors.items():
            ports = [port.target for port in public if port.service == service]
            # A rule without peers would let everybody in, so a closed door has no rule at all.
            if ports and networks:
                peers = [
                    networking.v1.NetworkPolicyPeerArgs(ip_block=networking.v1.IPBlockArgs(cidr=network))
                    for network in networks
                ]
                rules.append(networking.v1.NetworkPolicyIngressRuleArgs(from_=peers, ports=_ports(ports)))
        return rules

    def _egress(self, daemon: Daemon) -> list[networking.v1.NetworkPolicyEgressRuleArgs]:
        rules: list[networking.v1.NetworkPolicyEgressRuleArgs] = []
        for connection in self._args.connections:
            if connection.client != daemon:
                continue
            if isinstance(connection.server, Outside):
                to = _outside(connection.server)
                ports = list(connection.server.ports)
            else:
                to = [self._peer(connection.server, daemon)]
                ports = _chosen(connection.server, connection.ports, self._args.public)
                if connection.public:
                    rules.append(self._from_outside(connection.server, ports))
            rules.append(networking.v1.NetworkPolicyEgressRuleArgs(to=to, ports=_ports(ports)))
        return rules

    def _from_outside(
        self, server: Daemon, ports: Sequence[Port]
    ) -> networking.v1.NetworkPolicyEgressRuleArgs:
        """Lets a client take the way of the world: to the address and the port under which that knows `server`.

        Some networks judge such a connection before it has become one to a pod.
        """
        networks = self._args.reached_at[server]
        behind: list[networking.v1.NetworkPolicyPeerArgs] = []
        reached = [
            Port(port.target.name, port.number, port.target.protocol)
            for port in self._args.public
            if port.daemon == server and port.target in ports
        ]
        if server == PROXY and self._args.controllers and PROXY.port("https") in ports:
            # The controller answers in the proxy's place; mail programs come to the proxy itself.
            networks, behind = self._args.controllers.websites, self._args.controllers.peers()
            reached = list(self._args.controllers.ports)
        peers = [
            networking.v1.NetworkPolicyPeerArgs(ip_block=networking.v1.IPBlockArgs(cidr=cidr))
            for cidr in networks
        ]
        peers += behind
        return networking.v1.NetworkPolicyEgressRuleArgs(to=peers, ports=_ports(reached))

    def _peer(self, peer: Daemon, seen_from: Daemon) -> networking.v1.NetworkPolicyPeerArgs:
        there, here = peer in self._args.elsewhere, seen_from in self._args.elsewhere
        name = self._args.logs_namespace if there else self._args.main_namespace
        return networking.v1.NetworkPolicyPeerArgs(
            pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector_of(peer.name)),
            namespace_selector=_namespace(name) if there != here else None,
        )


def _outside(peer: Outside) -> list[networking.v1.NetworkPolicyPeerArgs]:
    peers = [
        networking.v1.NetworkPolicyPeerArgs(
            ip_block=networking.v1.IPBlockArgs(
                cidr=str(block.network), except_=[str(each) for each in block.excepted] or None
            )
        )
        for block in peer.blocks
    ]
    if peer.pods is not None:
        wanted = [
            meta.v1.LabelSelectorRequirementArgs(key=key, operator="In", values=list(values))
            for key, values in peer.pods.labels
        ]
        peers.append(
            networking.v1.NetworkPolicyPeerArgs(
                namespace_selector=_namespace(peer.pods.namespace),
                pod_selector=meta.v1.LabelSelectorArgs(match_expressions=wanted),
            )
        )
    return peers


def _namespace(name: str) -> meta.v1.LabelSelectorArgs:
    return meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": name})


def _chosen(server: Daemon, names: Sequence[str], public: Sequence[PublicPort]) -> list[Port]:
    listening = {
        port.name: port for port in (*server.ports, *(p.target for p in public if p.daemon == server))
    }
    return [listening[name] for name in names] if names else list(server.ports)


def _ports(ports: Sequence[Port]) -> list[networking.v1.NetworkPolicyPortArgs]:
    return [networking.v1.NetworkPolicyPortArgs(port=p.number, protocol=p.protocol) for p in ports]
