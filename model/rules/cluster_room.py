"""Whether the nodes have room for what a stack requests, beside what others request of them already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from model import topology
from model.budget import Room, pods, requested
from model.catalogue import cluster as rules
from model.findings import Finding
from model.settings import Settings

Rooms = Mapping[str, Room]
"""Node -> room on it."""


def cluster_room(settings: Settings, rooms: Rooms | None, taken: Rooms | None) -> Iterator[Finding]:
    """Findings about all nodes, each pod, and the nodes that the stack file names; what could not be read is not judged."""
    if not rooms:
        return
    asked, offered = requested(settings), together(rooms)
    if not _fits(asked, offered):
        yield rules.NODES_TOO_SMALL.found(asked=asked, offered=offered)
    for name, (_, pod, _) in pods(settings).items():
        if not any(_fits(pod, room) for room in rooms.values()):
            yield rules.POD_TOO_LARGE.found(name=name, asked=pod)
    if taken is None:
        return
    left = free(rooms, taken)
    if _fits(asked, offered) and not _fits(asked, together(left)):
        yield rules.NODES_BUSY.found(asked=asked, free=together(left))
    yield from _named(settings, left)


def _named(settings: Settings, left: Rooms) -> Iterator[Finding]:
    """Pods that may run nowhere else."""
    asked = {name: pod for name, (_, pod, _) in pods(settings).items()}
    edge = topology.edge_node(settings)
    if edge is not None:
        public = dict.fromkeys(port.daemon.name for port in topology.public_ports(settings))
        bound = {"kolab:network.edgeNode": (edge, tuple(public))}
    else:
        bound = {
            f"kolab:network.egress.nodes.{node}": (node, ("postfix",))
            for node in topology.postfix_nodes(settings)
        }
    for path, (node, names) in bound.items():
        wanted = _sum(asked[name] for name in names)
        if node in left and not _fits(wanted, left[node]):
            yield rules.NODE_BUSY.found(
                path=path, node=node, names=", ".join(names), asked=wanted, free=left[node]
            )


def free(rooms: Rooms, taken: Rooms) -> dict[str, Room]:
    """Node -> what others leave of it."""
    return {node: _less(room, taken.get(node, Room(0, 0))) for node, room in rooms.items()}


def together(rooms: Rooms) -> Room:
    """What all nodes offer."""
    return _sum(rooms.values())


def _sum(rooms: Iterable[Room]) -> Room:
    each = list(rooms)
    return Room(sum(room.cpu for room in each), sum(room.memory for room in each))


def _less(room: Room, taken: Room) -> Room:
    return Room(max(room.cpu - taken.cpu, 0), max(room.memory - taken.memory, 0))


def _fits(asked: Room, offered: Room) -> bool:
    return asked.cpu <= offered.cpu and asked.memory <= offered.memory
