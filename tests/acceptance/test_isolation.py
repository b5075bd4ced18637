"""NetworkPolicies hold exactly the connections of the topology: every pod tries every port that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from model import topology
from tests.acceptance.connections import (
    FOREIGN,
    UNKNOWN,
    UNKNOWN_LOGS,
    Answers,
    Source,
    allowed,
    policy_of,
    probe,
    tried,
)
from tests.acceptance.report import UNPROVEN
from tests.acceptance.stack import Stack
from tests.acceptance.strangers import ELSEWHERE, Stranger, strangers
from tests.lab import workloads
from tests.support.reach import Target, differences, enforced


@pytest.fixture(scope="module")
def enforcing(stack: Stack) -> None:
    """A canary: two pods reach each other until a policy forbids it, or nothing below says anything."""
    pair = [Stranger(name, ELSEWHERE) for name in ("canary", "cage")]
    deny = workloads.network_policy("deny", ELSEWHERE, policyTypes=["Ingress", "Egress"])
    with strangers(stack, pair) as pods:
        canary, cage = (pods[stranger.name] for stranger in pair)
        source = Source(
            "canary", canary["metadata"]["name"], ELSEWHERE, canary["status"]["podIP"], outward=True
        )
        there = Target("cage", "TCP", 8080, cage["status"]["podIP"], 8080)
        before = probe(stack, source, [there], 10)[there]
        stack.lab.kubectl("apply", "-f", "-", text=workloads.text(deny))
        stack.lab.wait_policies()
        after = probe(stack, source, [there], 3)[there]
    if not enforced(before, after):
        pytest.skip(f"{UNPROVEN}: this cluster does not enforce NetworkPolicies")


@pytest.fixture(scope="module")
def answers(stack: Stack, enforcing: None) -> Iterator[Answers]:
    """What everybody saw of everything."""
    with tried(stack) as found:
        yield found


def _agree(stack: Stack, answers: Answers, chosen: Callable[[Source, Target], bool]) -> None:
    """What was seen and what may be, among the connections that a test is about."""
    policy = policy_of(stack)
    seen = {key: answer for key, answer in answers.items() if chosen(*key)}
    assert seen, "nobody has tried any of these"
    found = differences(seen, partial(allowed, policy))
    assert not found, "\n".join(["connections differ", *found])


def _ours(source: Source) -> bool:
    return source.name not in (FOREIGN, UNKNOWN, UNKNOWN_LOGS)


def test_a_pod_of_every_daemon_was_there_to_ask(stack: Stack, answers: Answers) -> None:
    daemons = {daemon.name for daemon in topology.daemons(stack.settings)}
    assert {source.name for source, _ in answers if _ours(source)} == daemons


def test_daemons_reach_each_other_exactly_as_the_topology_says(stack: Stack, answers: Answers) -> None:
    """At the addresses of pods, of Services and of the world; ports that nobody wrote down included."""
    daemons = {daemon.name for daemon in topology.daemons(stack.settings)}
    _agree(stack, answers, lambda source, target: _ours(source) and target.owner in daemons)


def test_the_internet_is_reached_by_those_who_need_it_on_their_ports_only(
    stack: Stack, answers: Answers
) -> None:
    """Port 25 by Postfix alone: nobody else can send spam with our name."""
    _agree(stack, answers, lambda source, target: _ours(source) and target.owner == "internet")


def test_the_kubernetes_api_is_reached_by_those_who_need_it_only(stack: Stack, answers: Answers) -> None:
    _agree(stack, answers, lambda source, target: _ours(source) and target.owner == "kubernetes")


@pytest.mark.parametrize("whose", ["metadata", "private", "node", "neighbour"])
def test_no_daemon_reaches_the_neighbourhood(stack: Stack, answers: Answers, whose: str) -> None:
    """Metadata services hand out the node's own keys; private networks, the kubelet and pods of others are no part of
    the world either."""
    _agree(stack, answers, lambda source, target: _ours(source) and target.owner == whose)


def test_names_are_asked_of_the_clusters_dns_alone_by_those_who_need_them(
    stack: Stack, answers: Answers
) -> None:
    """At its Service and at its pods; a resolver on the internet would carry data out."""
    _agree(
        stack,
        answers,
        lambda source, target: _ours(source) and (target.owner == "names" or target.number == 53),
    )


def test_a_pod_of_another_namespace_reaches_only_what_is_public(stack: Stack, answers: Answers) -> None:
    """It reaches all of the world as well: what our daemons do not reach is there."""
    _agree(stack, answers, lambda source, _: source.name == FOREIGN)


def test_a_new_pod_beside_the_daemons_reaches_nothing(stack: Stack, answers: Answers) -> None:
    _agree(stack, answers, lambda source, _: source.name in (UNKNOWN, UNKNOWN_LOGS))
