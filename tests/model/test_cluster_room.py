"""What a stack asks of a cluster, and what that has."""

from __future__ import annotations

from typing import Any

import pytest

from model import budget
from model.budget import Room
from model.rules.budget import RULES
from model.rules.cluster import ClusterFacts, cluster, totals
from model.sizing import DEFAULTS, PROFILES
from tests.model.files import settings

GIB = 1024**3
SIZES = tuple(PROFILES)


def found(rooms: dict[str, Room] | None, **changes: Any) -> set[tuple[str, str]]:
    seen = cluster(settings("cluster", changes), ClusterFacts(rooms=rooms))
    return {(each.rule, each.path) for each in seen if each.rule in ("nodes-too-small", "pod-too-large")}


def test_what_the_nodes_cannot_hold_together_is_refused() -> None:
    nodes = {name: Room(4000, 8 * GIB) for name in ("a", "b")}
    assert found(nodes, size="small") == set()
    assert found(nodes, size="medium") == set()
    assert ("nodes-too-small", "kolab:size") in found(nodes, size="large")


def test_a_pod_that_no_node_can_hold_is_refused_however_many_nodes_there_are() -> None:
    nodes = {f"n{number}": Room(4000, 8 * GIB) for number in range(9)}
    assert found(nodes, size="large") == {("pod-too-large", "kolab:resources.imap")}


@pytest.mark.parametrize(
    "room", [Room(100, 99 * GIB), Room(99_000, GIB)], ids=["too few processors", "too little memory"]
)
def test_processors_and_memory_are_judged_each_for_itself(room: Room) -> None:
    assert ("nodes-too-small", "kolab:size") in found({"only": room})


@pytest.mark.parametrize("rooms", [None, {}], ids=["not read", "not told"])
def test_nodes_that_do_not_tell_are_not_judged(rooms: dict[str, Room] | None) -> None:
    assert found(rooms, size="large") == set()


def test_replicas_count() -> None:
    more = budget.requested(settings("cluster", {"replicas": {"webapp": 3}}))
    less = budget.requested(settings("cluster", {"replicas": {"webapp": 2}}))
    assert more.memory - less.memory == 512 * 1024**2
    assert more.cpu - less.cpu == 250


def test_parts_that_are_left_out_take_nothing() -> None:
    bare = {"monitoring/enabled": False, "features/office": False}
    assert "collabora" not in budget.pods(settings("cluster", bare))
    assert budget.requested(settings("cluster", bare)).cpu < budget.requested(settings("cluster")).cpu


def test_a_preview_says_what_is_requested_and_what_there_is() -> None:
    stack = settings("cluster", {"size": "medium"})
    text = totals(stack, {"a": Room(8000, 16 * GIB), "b": Room(8000, 16 * GIB)})
    assert f"size medium: pods request {budget.requested(stack)}, and may come to take" in text
    assert text.endswith("the nodes offer 16.0 processors and 32.0Gi of memory")


@pytest.mark.parametrize("size", SIZES)
def test_each_size_keeps_every_budget(size: str) -> None:
    assert [each for rule in RULES for each in rule(settings("cluster", {"size": size}))] == []


@pytest.mark.parametrize("size", SIZES)
def test_one_proxy_has_the_connections_for_everybody_even_when_its_workers_share_badly(size: str) -> None:
    room = budget.PROXY_WORKERS * budget.PROXY_CONNECTIONS // 2
    assert PROFILES[size].people * budget.CONNECTIONS <= room


@pytest.mark.parametrize("size", SIZES)
def test_a_size_names_containers_that_exist(size: str) -> None:
    assert set(PROFILES[size].sizes) <= set(DEFAULTS)


@pytest.mark.parametrize("size", SIZES)
def test_cyrus_requests_what_its_sessions_take(size: str) -> None:
    stack = settings("cluster", {"size": size})
    _, pod, limit = budget.pods(stack)["imap"]
    needed = budget.imap_memory(stack)
    assert needed <= limit
    # A small one may borrow: what ten people take is nobody's loss.
    assert size == "small" or pod.memory >= needed
