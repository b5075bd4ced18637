"""The NetworkPolicies of every stack allow the connections of the topology, from both ends, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from model import topology
from model.settings import Settings
from tests.support.deploy import Deployment
from tests.support.stacks import stack

Connection = tuple[str, str, str, int]
"""Client, server, protocol, port."""

NAME = "app.kubernetes.io/name"


def ports(rule: dict[str, Any]) -> set[tuple[str, int]]:
    return {(each["protocol"], each["port"]) for each in rule["ports"]}


def between(program: Deployment, direction: str) -> set[Connection]:
    """Connections between our own pods, as one end of them sees it."""
    found = set()
    for policy in program.of_kind("NetworkPolicy"):
        here = policy["spec"]["podSelector"].get("matchLabels", {}).get(NAME)
        for rule in policy["spec"].get(direction, ()):
            for peer in rule.get("from" if direction == "ingress" else "to", ()):
                there = peer.get("podSelector", {}).get("matchLabels", {}).get(NAME)
                # Pods of cert-manager have policies as well: test_challenges.py
                if here is not None and there is not None:
                    client, server = (there, here) if direction == "ingress" else (here, there)
                    found |= {(client, server, protocol, port) for protocol, port in ports(rule)}
    return found


def chosen(connection: topology.Connection, settings: Settings) -> Iterable[topology.Port]:
    assert isinstance(connection.server, topology.Daemon)
    all_ports = [*connection.server.ports]
    if connection.server == topology.MEET:
        all_ports += topology.meet_media_ports(settings)
    return (
        [port for port in all_ports if port.name in connection.ports]
        if connection.ports
        else connection.server.ports
    )


def expected(settings: Settings) -> set[Connection]:
    return {
        (connection.client.name, connection.server.name, port.protocol, port.number)
        for connection in topology.connections(settings)
        if isinstance(connection.server, topology.Daemon)
        for port in chosen(connection, settings)
    }


def test_servers_accept_exactly_the_clients_of_the_topology(name: str, program: Deployment) -> None:
    assert between(program, "ingress") == expected(stack(name))


def test_clients_reach_exactly_the_servers_of_the_topology(name: str, program: Deployment) -> None:
    assert between(program, "egress") == expected(stack(name))


def test_the_world_reaches_exactly_the_public_ports(name: str, program: Deployment) -> None:
    opened = {
        (policy["metadata"]["name"], *port)
        for policy in program.of_kind("NetworkPolicy")
        for rule in policy["spec"].get("ingress", ())
        if "from" not in rule
        for port in ports(rule)
    }
    assert opened == {
        (port.daemon.name, port.target.protocol, port.target.number)
        for port in topology.public_ports(stack(name))
    }


def test_pods_reach_exactly_the_outside_of_the_topology(name: str, program: Deployment) -> None:
    """Networks, what is not meant in them, and other people's pods."""
    wanted = {
        (connection.client.name, peer, port.protocol, port.number)
        for connection in topology.connections(stack(name))
        if isinstance(connection.server, topology.Outside)
        for port in connection.server.ports
        for peer in (
            *map(block_text, connection.server.blocks),
            *([connection.server.pods.namespace] if connection.server.pods else ()),
        )
    }
    found = set()
    for policy in program.of_kind("NetworkPolicy"):
        daemon = policy["metadata"]["name"]
        for rule in policy["spec"].get("egress", ()):
            assert rule["to"], f"{daemon} reaches everybody"
            assert rule["ports"], f"{daemon} reaches every port"
            found |= {
                (daemon, peer, *port)
                for peer in filter(None, map(foreign, rule["to"]))
                for port in ports(rule)
            }
    # The public addresses of these four's peers have tests of their own.
    others = ("meet", "coturn", "round-trip", "report-reader")
    assert {each for each in found if each in wanted or each[0] not in others} == wanted


def block_text(block: topology.Block) -> str:
    return f"{block.network} without {[str(each) for each in block.excepted]}"


def foreign(peer: dict[str, Any]) -> str | None:
    """A peer that is none of our pods, in words."""
    if "ipBlock" in peer:
        return f"{peer['ipBlock']['cidr']} without {peer['ipBlock'].get('except', [])}"
    if NAME in peer["podSelector"].get("matchLabels", {}) if "podSelector" in peer else False:
        return None
    namespace: str = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    return namespace


def test_every_pod_has_a_policy_of_its_own(program: Deployment) -> None:
    selected = {
        (policy["metadata"]["namespace"], policy["spec"]["podSelector"].get("matchLabels", {}).get(NAME))
        for policy in program.of_kind("NetworkPolicy")
    }
    for workload in program.workloads:
        assert (workload.namespace, workload.daemon) in selected
